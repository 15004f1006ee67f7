/** The completion of bash, with and without the package bash-completion. */
import { quoted, type Step, spelled } from './completion.js';

/** The script. */
export function bashCompletion(steps: readonly Step[]): string {
  return `${HEAD}
# What may come after a command.
_weft_step() {
  commands='' options='' arguments=() rest='' values=()
  case $1 in
${steps.map(branch).join('')}  esac
}

${ENGINE}`;
}

function branch({ command, commands, options, values, arguments: args, rest }: Step): string {
  const words = (offers: readonly { readonly word: string }[]) => offers.map(({ word }) => word).join(' ');
  const lines = [
    ...(commands.length === 0 ? [] : [`commands=${quoted(words(commands))}`]),
    ...(options.length === 0 ? [] : [`options=${quoted(words(options))}`]),
    ...(values.length === 0
      ? []
      : [`values=(${values.map(([name, source]) => `[${name}]=${quoted(spelled(source))}`).join(' ')})`]),
    ...(args.length === 0 ? [] : [`arguments=(${args.map((source) => quoted(spelled(source))).join(' ')})`]),
    ...(spelled(rest) === '' ? [] : [`rest=${quoted(spelled(rest))}`]),
  ];
  return `    ${quoted(command)})\n${lines.map((line) => `      ${line}\n`).join('')}      ;;\n`;
}

const HEAD = `# Completion of weft for bash. Made from the commands of weft: change nothing here.
`;

const ENGINE = `# Offers what completes a word: words, what the running router knows, or files.
_weft_offer() {
  local word program
  case $1 in
    @files) compopt -o default ;;
    @directories) compopt -o dirnames ;;
    '@live '*)
      program=$(readlink -f -- "$(type -P weft)")
      for program in "\${program%/*}/weft-words" "\${program%/*}/../build/native/weft-words"; do
        [[ -x $program ]] || continue
        while IFS= read -r word; do COMPREPLY+=("$prefix$word"); done \\
          < <("$program" "\${1#@live }" "$current" "$run_dir" 2>/dev/null)
        return
      done
      ;;
    *) for word in $1; do [[ $word == "$current"* ]] && COMPREPLY+=("$prefix$word"); done ;;
  esac
}

_weft() {
  COMPREPLY=()
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} words typed current prefix='' word
  local command='' option='' run_dir='' commands options arguments rest
  local -i count=0
  local -A values
  # Not COMP_WORDS: bash splits those at colons and equals signs, too.
  read -ra words <<<"\${line//[$'\\n']/ }"
  [[ $line == *[[:space:]] ]] && words+=('')
  typed=\${words[\${#words[@]} - 1]}
  current=$typed
  _weft_step ''
  for word in "\${words[@]:1:\${#words[@]} - 2}"; do
    if [[ -n $option ]]; then
      [[ $option == --run-dir ]] && run_dir=$word
      option=''
      continue
    fi
    case $word in
      --run-dir=*) run_dir=\${word#*=} ;;
      -*) [[ -n \${values[$word]+set} ]] && option=$word ;;
      *)
        if [[ " $commands " == *" $word "* ]]; then
          command+=\${command:+ }$word
          _weft_step "$command"
        else
          count+=1
        fi
        ;;
    esac
  done
  if [[ -z $option && $typed == --*=* ]]; then
    option=\${typed%%=*} prefix=\${typed%%=*}= current=\${typed#*=}
  fi
  if [[ -n $option ]]; then
    _weft_offer "\${values[$option]-}"
  elif [[ $current == -* ]]; then
    _weft_offer "$options"
  elif [[ -n $commands && $count -eq 0 ]]; then
    _weft_offer "$commands"
  elif ((count < \${#arguments[@]})); then
    _weft_offer "\${arguments[count]}"
  else
    _weft_offer "$rest"
  fi
  # bash puts in only what comes after the last of those signs.
  local last=$typed
  [[ $COMP_WORDBREAKS == *:* ]] && last=\${last##*:}
  [[ $COMP_WORDBREAKS == *=* ]] && last=\${last##*=}
  [[ $last == "$typed" ]] || COMPREPLY=("\${COMPREPLY[@]#"\${typed%"$last"}"}")
}

complete -F _weft weft
`;
