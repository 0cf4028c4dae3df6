# bash completion of holdfast(1).  Methods are asked of the server, so there is
# one place that knows them.

_holdfast()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	local commands='call completion enter setup-admin status'
	local options='-i --instance --json --help --version'
	local command='' arguments=0 i
	local -a server=()

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-i | --instance)
			((i++))
			((i < COMP_CWORD)) && server=(-i "${COMP_WORDS[i]}")
			;;
		-*)
			;;
		*)
			if [[ -z $command ]]; then
				command=${COMP_WORDS[i]}
			else
				((arguments++))
			fi
			;;
		esac
	done

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-i | --instance)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	esac
	if [[ -z $command ]]; then
		mapfile -t COMPREPLY < <(
			compgen -W "$commands $options" -- "$word")
		return
	fi
	case $command in
	call)
		((arguments == 0)) || return
		if [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(
				compgen -W '--no-wait --json' -- "$word")
		else
			mapfile -t COMPREPLY < <(compgen -W "$(
				"${COMP_WORDS[0]}" "${server[@]}" completion \
				    2> /dev/null)" -- "$word")
		fi
		;;
	setup-admin)
		((arguments == 0)) || return
		mapfile -t COMPREPLY < <(
			compgen -W 'root truenas_admin' -- "$word")
		;;
	enter)
		((arguments == 0)) || return
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
		;;
	status)
		mapfile -t COMPREPLY < <(compgen -W '--json' -- "$word")
		;;
	esac
}

complete -F _holdfast holdfast
