# Completion of freeflow(1) for bash.
_freeflow() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= at
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W 'run status top doctor trace lab --help --version' -- "$word"))
        return
    fi
    case $before in
        --router | --pcap) COMPREPLY=($(compgen -f -- "$word")); return ;;
        --sort) COMPREPLY=($(compgen -W 'bytes ring connections program' -- "$word")); return ;;
        --lab) COMPREPLY=($(compgen -d -- "$word")); return ;;
    esac
    case ${COMP_WORDS[1]} in
        run)
            # Behind the options the command completes as it would by itself.
            for ((at = 2; at < COMP_CWORD; at++)); do
                case ${COMP_WORDS[at]} in
                    --) at=$((at + 1)); command=yes; break ;;
                    --router) at=$((at + 1)) ;;
                    -*) ;;
                    *) command=yes; break ;;
                esac
            done
            if [ -n "$command" ]; then
                if declare -F _command_offset >/dev/null; then _command_offset "$at"; elif [ "$at" = "$COMP_CWORD" ]; then COMPREPLY=($(compgen -c -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
            else
                COMPREPLY=($(compgen -W '--router --quiet --' -- "$word"))
                [ -z "$word" ] || [ "${word#-}" != "$word" ] || COMPREPLY=($(compgen -c -- "$word"))
            fi ;;
        status) COMPREPLY=($(compgen -W '--router --json --watch --all --program --sort' -- "$word")) ;;
        top) COMPREPLY=($(compgen -W '--router --every' -- "$word")) ;;
        doctor)
            COMPREPLY=($(compgen -W '--router --' -- "$word"))
            [ -z "$word" ] || [ "${word#-}" != "$word" ] || COMPREPLY=($(compgen -c -- "$word")) ;;
        trace) COMPREPLY=($(compgen -W '--pcap --pid --program --port --for' -- "$word")) ;;
        lab)
            case $before in
                up) COMPREPLY=($(compgen -f -- "$word")) ;;
                *) COMPREPLY=($(compgen -W 'up down status exec cut mend slow kill start --lab --plain' -- "$word")) ;;
            esac ;;
    esac
}
complete -o filenames -o bashdefault -F _freeflow freeflow
