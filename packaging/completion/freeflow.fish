# Completion of freeflow(1) for fish.
complete -c freeflow -f
complete -c freeflow -n __fish_use_subcommand -a run -d 'start a command with its TCP connections accelerated'
complete -c freeflow -n __fish_use_subcommand -a status -d 'list connections and the way their bytes take'
complete -c freeflow -n __fish_use_subcommand -a lab -d 'several hosts with containers on this machine'
complete -c freeflow -n __fish_use_subcommand -l help -d 'print a summary'
complete -c freeflow -n __fish_use_subcommand -l version -d 'print the version'
complete -c freeflow -n '__fish_seen_subcommand_from run status' -l router -rF -d 'the socket of the router'
complete -c freeflow -n '__fish_seen_subcommand_from run' -l quiet -d 'nothing about a missing router'
complete -c freeflow -n '__fish_seen_subcommand_from run' -xa '(__fish_complete_subcommand --fcs-skip=2)'
complete -c freeflow -n '__fish_seen_subcommand_from status' -l json -d 'for machines'
complete -c freeflow -n '__fish_seen_subcommand_from status' -l watch -d 'again and again'
complete -c freeflow -n '__fish_seen_subcommand_from lab' -l lab -xa '(__fish_complete_directories)' -d 'state and logs'
complete -c freeflow -n '__fish_seen_subcommand_from lab' -l plain -d 'without FreeFlow'
complete -c freeflow -n '__fish_seen_subcommand_from lab' -a 'up down status exec cut mend slow kill start' -F
