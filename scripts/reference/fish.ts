/** The completion of fish. */
import { type Offer, type Step, spelled } from './completion.js';

/** The script. */
export function fishCompletion(steps: readonly Step[]): string {
  return `${HEAD}
# What may come after a command, in the variables of the caller.
function __weft_step --no-scope-shadowing
    set subcommands
    set options
    set valued
    set sources
    set arguments
    set rest
    switch "$argv[1]"
${steps.map(branch).join('')}    end
end

${ENGINE}`;
}

function branch({ command, commands, options, values, arguments: args, rest }: Step): string {
  const lines = [
    ...(commands.length === 0 ? [] : [`set subcommands ${commands.map(described).join(' ')}`]),
    ...(options.length === 0 ? [] : [`set options ${options.map(described).join(' ')}`]),
    ...(values.length === 0
      ? []
      : [
          `set valued ${values.map(([name]) => name).join(' ')}`,
          `set sources ${values.map(([, source]) => quoted(spelled(source))).join(' ')}`,
        ]),
    ...(args.length === 0
      ? []
      : [`set arguments ${args.map((source) => quoted(spelled(source))).join(' ')}`]),
    ...(spelled(rest) === '' ? [] : [`set rest ${quoted(spelled(rest))}`]),
  ];
  return `        case ${quoted(command)}\n${lines.map((line) => `            ${line}\n`).join('')}`;
}

/** fish shows what comes after a tab beside the word. */
function described({ word, meaning }: Offer): string {
  return `${word}\\t${quoted(meaning)}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

const HEAD = `# Completion of weft for fish. Made from the commands of weft: change nothing here.
`;

const ENGINE = `# Prints what completes a word: words, what the running router knows, or files.
function __weft_offer --argument-names source current run_dir
    switch "$source"
        case @files
            __fish_complete_path "$current"
        case @directories
            __fish_complete_directories "$current" ''
        case '@live *'
            set -l place (string replace -r '/[^/]*$' '' -- (realpath (command -s weft)))
            for program in $place/weft-words $place/../build/native/weft-words
                test -x $program; or continue
                $program (string replace '@live ' '' -- $source) "$current" "$run_dir" 2>/dev/null
                return
            end
        case '*'
            string split -n ' ' -- $source
    end
end

function __weft_complete
    set -l words (commandline -opc)[2..-1]
    set -l current (commandline -ct)
    set -l command
    set -l option
    set -l run_dir
    set -l count 0
    set -l subcommands
    set -l options
    set -l valued
    set -l sources
    set -l arguments
    set -l rest
    __weft_step ''
    for word in $words
        if test -n "$option"
            test "$option" = --run-dir; and set run_dir $word
            set option
        else if string match -q -- '--run-dir=*' $word
            set run_dir (string replace -- --run-dir= '' $word)
        else if string match -q -- '-*' $word
            contains -- $word $valued; and set option $word
        else if contains -- $word (string replace -r '\\t.*' '' -- $subcommands)
            set -a command $word
            __weft_step "$command"
        else
            set count (math $count + 1)
        end
    end
    if test -n "$option"
        set -l place (contains -i -- $option $valued); and __weft_offer "$sources[$place]" "$current" "$run_dir"
    else if string match -q -- '--*=*' $current
        set -l parts (string split -m 1 = -- $current)
        set -l place (contains -i -- $parts[1] $valued); or return
        for word in (__weft_offer "$sources[$place]" "$parts[2]" "$run_dir")
            echo -- $parts[1]=$word
        end
    else if string match -q -- '-*' $current
        printf '%s\\n' $options
    else if set -q subcommands[1]; and test $count -eq 0
        printf '%s\\n' $subcommands
    else if test $count -lt (count $arguments)
        __weft_offer "$arguments[$(math $count + 1)]" "$current" "$run_dir"
    else
        __weft_offer "$rest" "$current" "$run_dir"
    end
end

complete -c weft -e
complete -c weft -f -a '(__weft_complete)'
`;
