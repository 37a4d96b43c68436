// completion: a script for the shell that asks us what may follow.
import { UserError } from '../../errors.ts'
import { defineCommand } from '../command.ts'

const BASH = `# bash completion for pintle; load with: source <(pintle completion bash)
_pintle() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    [[ $line == :* ]] || COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(pintle __complete "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "\${COMP_WORDS[COMP_CWORD]}" 2>/dev/null)
}
complete -o default -F _pintle pintle
`
const ZSH = `#compdef pintle
# zsh completion for pintle; load with: source <(pintle completion zsh)
_pintle() {
  local -a found
  local line
  while IFS= read -r line; do
    [[ $line == :* ]] || found+=("\${line//$'\\t'/:}")
  done < <(pintle __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'pintle' found
}
compdef _pintle pintle
`
const FISH = `# fish completion for pintle; load with: pintle completion fish | source
function __pintle_complete
  set -l words (commandline -opc)
  pintle __complete $words[2..-1] (commandline -ct) 2>/dev/null | string match -v ':*'
end
complete -c pintle -f -a '(__pintle_complete)'
`
const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH }

export default defineCommand({
  summary: 'Print a completion script for a shell',
  args: '<shell>',
  examples: ['completion bash', 'completion zsh', 'completion fish'],

  async run(context, [shell = '']) {
    const script = SCRIPTS[shell]
    if (script === undefined)
      throw new UserError('', `unsupported shell type "${shell}"`, 'Use one of: bash, zsh, fish.')
    context.write(script)
    return 0
  },
})
