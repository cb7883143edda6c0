import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { repositoryRoot } from '../release/workspace.js'

// Writes a folder that needs nothing on the machine it is carried to but a driver for Vulkan: Node itself, Dawn, the loader of
// Vulkan where this machine has it, and everything of ours in one file.
//
//   node --import ./tools/typescript.mjs tools/card/bundle.ts <folder>
//   <folder>/run.sh --pytorch python3                 everything, and the same in PyTorch
//   <folder>/run.sh --parts gemm --precisions f32

const folder = resolve(process.argv[2] ?? 'runs/card')
const platform = `${process.platform}-${process.arch}`
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

await build({
  configFile: false,
  logLevel: 'error',
  resolve: { conditions: ['@dit/source'] },
  ssr: { noExternal: true, external: ['webgpu'], resolve: { conditions: ['@dit/source', 'node', 'import'] } },
  build: {
    ssr: fileURLToPath(new URL('card.ts', import.meta.url)),
    outDir: folder,
    target: 'node20',
    rolldownOptions: { output: { entryFileNames: 'card.mjs' } },
  },
})

copyFileSync(fileURLToPath(new URL('pytorch.py', import.meta.url)), join(folder, 'pytorch.py'))
copyFileSync(join(repositoryRoot, 'bench/pytorch.py'), join(folder, 'bench_pytorch.py'))

const dawn = join(folder, 'node_modules', 'webgpu')
mkdirSync(join(dawn, 'dist'), { recursive: true })
for (const file of ['package.json', 'index.js', 'LICENSE.md']) {
  copyFileSync(join(repositoryRoot, 'node_modules/webgpu', file), join(dawn, file))
}
cpSync(join(repositoryRoot, 'node_modules/webgpu/dist', platform), join(dawn, 'dist', platform), { recursive: true })
const loader = ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', '/usr/lib/aarch64-linux-gnu/libvulkan.so.1'].find(
  existsSync,
)
if (loader !== undefined) copyFileSync(loader, join(folder, 'libvulkan.so.1'))
else console.log('the loader of Vulkan (libvulkan.so.1) is not on this machine: the other one must have it')

// Compressed, because the program is four times as large as everything else.
execFileSync('sh', ['-c', `gzip -9 < '${process.execPath}' > '${join(folder, 'node.gz')}'`])
const run = join(folder, 'run.sh')
writeFileSync(
  run,
  `#!/bin/sh
# Correctness and rates of the WebGPU kernels on this machine's card; see tools/card/card.ts for the options.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
node=\${TMPDIR:-/tmp}/dit-card-node
[ -x "$node" ] || { gunzip < "$here/node.gz" > "$node"; chmod +x "$node"; }
export LD_LIBRARY_PATH="$here\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
if [ -z "\${VK_DRIVER_FILES:-}" ] && [ ! -e /usr/share/vulkan/icd.d/nvidia_icd.json ] && [ ! -e /etc/vulkan/icd.d/nvidia_icd.json ] && ldconfig -p | grep libGLX_nvidia >/dev/null; then
  # The driver is here and its manifest is not, as in many containers.
  manifest=\${TMPDIR:-/tmp}/dit-card-icd.json
  printf '{"file_format_version":"1.0.0","ICD":{"library_path":"libGLX_nvidia.so.0","api_version":"1.3.0"}}' > "$manifest"
  export VK_DRIVER_FILES="$manifest"
fi
exec "$node" "$here/card.mjs" "$@"
`,
)
chmodSync(run, 0o755)
console.log(`written to ${folder}: carry it to a machine with a card, and start ${join(dirname(run), 'run.sh')} there`)
