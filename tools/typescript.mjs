// Lets Node 20 run the scripts of tools/ as they are: `node --import ./tools/typescript.mjs tools/parity/main.ts`.
// Worker threads inherit it. Node 22.18 and later strip types themselves, and this file can then go.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
