/** The completion of zsh. */
import { type Offer, quoted, type Step, spelled } from './completion.js';

/** The script. */
export function zshCompletion(steps: readonly Step[]): string {
  return `${HEAD}
# What may come after a command.
_weft_step() {
  subcommands=() options=() arguments=() rest='' values=()
  case $1 in
${steps.map(branch).join('')}  esac
}

${ENGINE}`;
}

function branch({ command, commands, options, values, arguments: args, rest }: Step): string {
  const lines = [
    ...(commands.length === 0 ? [] : [`subcommands=(${commands.map(described).join(' ')})`]),
    ...(options.length === 0 ? [] : [`options=(${options.map(described).join(' ')})`]),
    ...(values.length === 0
      ? []
      : [`values=(${values.map(([name, source]) => `${name} ${quoted(spelled(source))}`).join(' ')})`]),
    ...(args.length === 0 ? [] : [`arguments=(${args.map((source) => quoted(spelled(source))).join(' ')})`]),
    ...(spelled(rest) === '' ? [] : [`rest=${quoted(spelled(rest))}`]),
  ];
  return `    ${quoted(command)})\n${lines.map((line) => `      ${line}\n`).join('')}      ;;\n`;
}

function described({ word, meaning }: Offer): string {
  return quoted(`${word}:${meaning}`);
}

const HEAD = `#compdef weft
# Completion of weft for zsh. Made from the commands of weft: change nothing here.
`;

const ENGINE = `# Offers what completes a word: words, what the running router knows, or files.
_weft_offer() {
  local program
  case $1 in
    ('') return 1 ;;
    (@files) _files ;;
    (@directories) _files -/ ;;
    ('@live '*)
      for program in \${commands[weft]:A:h}/weft-words \${commands[weft]:A:h:h}/build/native/weft-words; do
        [[ -x $program ]] || continue
        compadd -- \${(f)"$($program "\${1#@live }" "$PREFIX" "$run_dir" 2>/dev/null)"}
        return
      done
      ;;
    (*) compadd -- \${=1} ;;
  esac
}

_weft() {
  local command='' option='' run_dir='' word rest
  local -a subcommands options arguments
  local -A values
  local -i count=0
  _weft_step ''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $option ]]; then
      [[ $option == --run-dir ]] && run_dir=$word
      option=''
      continue
    fi
    case $word in
      (--run-dir=*) run_dir=\${word#*=} ;;
      (-*) (( \${+values[$word]} )) && option=$word ;;
      (*)
        if (( \${subcommands[(I)\${(b)word}:*]} )); then
          command+=\${command:+ }$word
          _weft_step "$command"
        else
          (( count += 1 ))
        fi
        ;;
    esac
  done
  if [[ -z $option && $PREFIX == --*=* ]]; then
    option=\${PREFIX%%=*}
    compset -P '*='
  fi
  if [[ -n $option ]]; then
    _weft_offer "\${values[$option]-}"
  elif [[ $PREFIX == -* ]]; then
    _describe -o option options
  elif (( \${#subcommands} && count == 0 )); then
    _describe command subcommands
  elif (( count < \${#arguments} )); then
    _weft_offer "\${arguments[count + 1]}"
  else
    _weft_offer "$rest"
  fi
}

_weft "$@"
`;
