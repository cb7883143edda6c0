// `npm run dit -- <command>`: the command line from this clone, built first where it is not yet.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const program = new URL('../apps/cli/dist/main.js', import.meta.url)
if (!existsSync(program)) {
  console.error('dit is not built yet: running `npm run build`, about a minute')
  const root = fileURLToPath(new URL('..', import.meta.url))
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) process.exit(status ?? 1)
}
// npm starts scripts in the folder of package.json; paths are those of the folder that it was called in.
if (process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD)
process.argv[1] = fileURLToPath(program)
await import(program.href)
