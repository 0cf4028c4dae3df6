#compdef holdfast midclt
# zsh completion of holdfast(1) and of midclt, which is another name of it.

# @words@

# Within a JSON object: the members whose name is begun.
_holdfast_object()	# METHOD:NUMBER
{
	local begun=${PREFIX##*[\{,]}
	local -a names

	begun=${begun## #}
	[[ $begun == \"* && $begun != \"*\"* ]] || return
	begun=${begun#\"}
	IPREFIX+=${PREFIX%$begun}
	PREFIX=$begun
	names=(${(f)"$(_holdfast_members $1)"})
	compadd -Q -S '":' -- $names
}

# The parameters that a method takes, by their position.
_holdfast_parameter()	# METHOD NUMBER
{
	local -a offered

	if [[ $PREFIX == *\{* ]]; then
		_holdfast_object $1:$2
		return
	fi
	offered=(${(f)"$(_holdfast_values $1:$2)"})
	compadd -- $offered
}

# words holds the command's name and what follows, without its options.
_holdfast_call()
{
	local -a plain methods
	local i

	for ((i = 2; i < CURRENT; i++)); do
		[[ $words[i] == -?* && $words[i] != -[0-9]* ]] ||
			plain+=($words[i])
	done
	if (($#plain == 0)); then
		methods=(${(f)"$(_holdfast_methods)"})
		compadd -- $methods
	else
		_holdfast_parameter $plain[1] $(($#plain - 1))
	fi
}

# A verb, or the fields of what is made or changed.
_holdfast_noun()
{
	local -a offered
	local method=${words[1]/-/_}.$words[2]

	if ((CURRENT == 2)); then
		offered=(${(f)"$(_holdfast_verbs $words[1])"})
		compadd -- $offered
		return
	fi
	if [[ $words[1] == ssh ]]; then
		[[ $words[2] == update ]] && _holdfast_parameter ssh.update 0
		return
	fi
	case $words[2]:$CURRENT in
	create:*)
		method+=:0
		;;
	update:(<4->) | delete:(<4->))
		method+=:1
		;;
	import:3)
		_files
		return
		;;
	*)
		return
		;;
	esac
	offered=(${(f)"$(_holdfast_members $method)"})
	compadd -S = -- $offered
}

_holdfast()
{
	local state line ret=1
	local -a commands methods

	setopt localoptions extendedglob
	if [[ $service == midclt ]]; then
		_arguments -C '1:command:(call ping subscribe)' \
			'*::argument:->rest' && ret=0
	else
		_arguments -C \
			'(-i --instance)'{-i,--instance}'[folder]:folder:_files -/' \
			'--json[print JSON]' '--help' '--version' \
			'1:command:(audit call describe enter user group privilege api-key keychain service session recover reidentify renew-2fa setup-admin ssh status)' \
			'*::argument:->rest' && ret=0
	fi
	[[ $state == rest ]] || return ret
	case $line[1] in
	call)
		_holdfast_call
		;;
	describe)
		methods=(${(f)"$(_holdfast_methods)"})
		compadd -- $methods
		;;
	audit)
		_arguments -S '1:what:(head verify)' '--against[a head kept elsewhere]:head:_files' \
			'--json[print JSON]'
		;;
	user|group|privilege|api-key|keychain|service|session|ssh)
		_holdfast_noun
		;;
	recover)
		if ((CURRENT == 2)); then
			compadd root truenas_admin
		else
			compadd password unlock second-factor
		fi
		;;
	setup-admin)
		compadd root truenas_admin
		;;
	enter)
		_normal
		;;
	esac
}

_holdfast "$@"
