// `npm run use -- <project> [package ...]`: what is in use/, once there is what it runs on.
import { existsSync } from 'node:fs'
import { register } from 'node:module'

if (existsSync(new URL('../node_modules/vite', import.meta.url))) {
  register('./typescript-hooks.mjs', import.meta.url)
  await import('./use/main.ts')
} else {
  console.error('use: nothing is installed in this clone yet; first run: npm ci')
  process.exitCode = 2
}
