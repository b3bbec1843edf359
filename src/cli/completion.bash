# Completion of chainstore for bash: commands, options, and the names of stores and managers, which
# the command itself tells.
_chainstore_stores() {
  "$1" help stores 2>/dev/null | sed -n -E 's#^([a-z0-9_]+(:(//)?|\()).*#\1#p'
}
_chainstore() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands="get put del ls stat copy describe bench"
  local everywhere="--json --key-hex --timeout --quiet --help"
  local index command="" store=""
  for ((index = 1; index < COMP_CWORD; ++index)); do
    case ${COMP_WORDS[index]} in
      --timeout | --ttl | --limit | --after | --count | --size | --value | --output) ((++index)) ;;
      -*) ;;
      *)
        if [ -z "$store" ]; then
          store=${COMP_WORDS[index]}
        elif [ -z "$command" ]; then
          command=${COMP_WORDS[index]}
        fi
        ;;
    esac
  done
  COMPREPLY=()
  case $previous in
    --output) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
    --timeout | --ttl | --limit | --after | --count | --size | --value) return ;;
  esac
  local words=""
  case $store,$command in
    ,) words="version help $(_chainstore_stores "${COMP_WORDS[0]}") $everywhere" ;;
    help,*) words="stores" ;;
    version,*) words="--json" ;;
    *,) words="$commands $everywhere" ;;
    *,get) words="$everywhere --output --explain" ;;
    *,put) words="$everywhere --value --ttl --if-absent" ;;
    *,stat) words="$everywhere --cost" ;;
    *,ls) words="$everywhere --sizes --limit --after" ;;
    *,copy) words="$everywhere --if-absent --limit --after" ;;
    *,bench) words="$everywhere --count --size" ;;
    *) words="$everywhere" ;;
  esac
  if [ "$command" = put ] && [[ $word != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  if [[ ${COMPREPLY[0]-} == *[:/\(] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _chainstore chainstore
