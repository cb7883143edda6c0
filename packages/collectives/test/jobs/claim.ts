import { execFileSync } from 'node:child_process'
import { claimDevice } from '../../src/node/index.js'

// What a library of this process, or a process that it starts, finds in the environment: not process.env alone.
claimDevice()
const seen = execFileSync('/bin/sh', ['-c', 'echo "gpu=$CUDA_VISIBLE_DEVICES"'], { encoding: 'utf8' })
process.stdout.write(seen)
