# Completion of freeflow-router(8) and freeflow-hunter(8) for bash: the programs know their own options.
_freeflow_daemon() {
    local line="${COMP_WORDS[*]:0:COMP_CWORD + 1}"
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        --socket | --config | --policy | --state | --kubeconfig | *-file | *-ca | *cacert | *-cert | *-key)
            COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
            return ;;
    esac
    COMPREPLY=($("$1" "[suggest:${#line}]" "$line" 2>/dev/null))
}
complete -o filenames -o bashdefault -F _freeflow_daemon freeflow-router freeflow-hunter
