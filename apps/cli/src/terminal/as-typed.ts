/** Commands of ours within a text: in backquotes, after a colon, and in the lines of a help. */
const COMMAND =
  /(?<=^(?:Usage: | {2})|`|: )dit (?=\[options\]|(?:convert|demo|doctor|encode|eval|export|help|info|plan|plot|sample|scaling|train)\b)/gm

/**
 * A text whose hints run as they stand where the user is: `dit train` -> `npm run dit -- train` in a clone of the repository, where there
 * is no `dit` on the PATH, and `npx @dit/cli train` under npx.
 *
 * @param env of the process; npm tells there how it was called
 */
export function asTyped(text: string, env: NodeJS.ProcessEnv = process.env): string {
  const command = commandOf(env)
  return command === 'dit' ? text : text.replaceAll(COMMAND, `${command} `)
}

function commandOf({
  npm_command: command,
  npm_lifecycle_event: event,
  npm_lifecycle_script: script = '',
  npm_package_name: project,
}: NodeJS.ProcessEnv): string {
  // `npm run demo` of the clone starts the same program.
  const isScript = event === 'dit' || (event === 'demo' && project === 'dit-monorepo')
  if (command === 'run-script' && isScript) return 'npm run dit --'
  // npx names the program, not the package; the name `dit` alone is another's on the registry.
  if (command === 'exec' && /^"?dit\b/.test(script)) return 'npx @dit/cli'
  return 'dit'
}
