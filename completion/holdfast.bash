# bash completion of holdfast(1) and of midclt, which is another name of it.

# @words@

# The commands and options of holdfast itself; a test compares them with its
# help.
_holdfast_commands='audit call describe enter user group privilege api-key keychain service session recover reidentify renew-2fa setup-admin ssh status'
_holdfast_options='-i --instance --json --help --version'

_holdfast_offer()	# WORDS...: those that begin as the word does
{
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$word")
}

# Within a JSON object, in quotes or not: the members whose name is begun.
_holdfast_object()	# METHOD:NUMBER
{
	local begun=${word##*[\{,]} before name
	local -a names

	# Without the quote that the shell has taken for its own.
	before=${word#[\'\"]}
	begun=${begun#"${begun%%[! ]*}"}
	[[ $begun == \"* && $begun != \"*\"* ]] || return
	before=${before%"$begun"}
	mapfile -t names < <(_holdfast_members "$1")
	for name in "${names[@]}"; do
		[[ $name != "${begun#\"}"* ]] ||
			COMPREPLY+=("$before\"$name\":")
	done
	# Of one alone, readline would close the quote behind it.
	((${#COMPREPLY[@]} != 1)) || COMPREPLY+=("${COMPREPLY[0]} ")
	compopt -o nospace
}

_holdfast_parameter()	# METHOD NUMBER
{
	if [[ $word == *\{* ]]; then
		_holdfast_object "$1:$2"
	else
		_holdfast_offer "$(_holdfast_values "$1:$2")"
	fi
}

_holdfast_call()	# WORDS BEFORE...: of the command
{
	if [[ $word == -* ]]; then
		_holdfast_offer "${call_options[@]}"
	elif (($# == 0)); then
		_holdfast_offer "$(_holdfast_methods)"
	else
		_holdfast_parameter "$1" $(($# - 1))
	fi
}

# A verb, or the fields of what is made or changed.
_holdfast_noun()	# NOUN VERB...
{
	local -a names
	local method

	case $1:$# in
	*:1)
		_holdfast_offer "$(_holdfast_verbs "$1")"
		return
		;;
	user:2)
		if [[ $2 == import ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		fi
		;;
	esac
	method=${1/-/_}.$2
	case $1.$2:$# in
	ssh.update:*)
		method+=:0
		;;
	ssh.*)
		return
		;;
	*.create:*)
		method+=:0
		;;
	*.update:[3-9]* | *.delete:[3-9]*)
		method+=:1
		;;
	*)
		return
		;;
	esac
	mapfile -t names < <(_holdfast_members "$method")
	compopt -o nospace
	_holdfast_offer "${names[@]/%/=}"
}

# What stands before the word at the cursor, without options.
_holdfast_words()
{
	local i

	words=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-i | --instance | -t | -n | -jp | --job-print)
			((i++))
			;;
		-?*)
			;;
		*)
			words+=("${COMP_WORDS[i]}")
			;;
		esac
	done
}

_holdfast()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	local -a words call_options=(--no-wait --json)

	COMPREPLY=()
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-i | --instance)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	esac
	_holdfast_words
	if ((${#words[@]} == 0)); then
		_holdfast_offer "$_holdfast_commands" "$_holdfast_options"
		return
	fi
	case ${words[0]}:${#words[@]} in
	audit:1)
		_holdfast_offer head verify
		;;
	audit:*)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -W '--against --json' -f -- "$word")
		;;
	call:*)
		_holdfast_call "${words[@]:1}"
		;;
	describe:1)
		_holdfast_offer "$(_holdfast_methods)"
		;;
	user:* | group:* | privilege:* | api-key:* | keychain:* | service:* | session:* | ssh:*)
		_holdfast_noun "${words[@]}"
		;;
	recover:1 | setup-admin:1)
		_holdfast_offer root truenas_admin
		;;
	recover:*)
		_holdfast_offer password unlock second-factor
		;;
	enter:1)
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
		;;
	status:*)
		_holdfast_offer --json
		;;
	esac
}

_midclt()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	local -a words call_options=(-j --job -jp --job-print -q --quiet)

	COMPREPLY=()
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-jp | --job-print)
		_holdfast_offer progressbar description
		return
		;;
	esac
	_holdfast_words
	if ((${#words[@]} == 0)); then
		_holdfast_offer call ping subscribe
	elif [[ ${words[0]} == call ]]; then
		_holdfast_call "${words[@]:1}"
	fi
}

complete -F _holdfast holdfast
complete -F _midclt midclt
