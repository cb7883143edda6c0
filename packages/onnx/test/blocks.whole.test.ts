import type { DiTConfig } from '@dit/model'
import { reference, useBackend } from '@dit/tensor'
import { test } from 'vitest'
import { expectAgreement, config } from './blocks.js'

await useBackend(reference())

test.each<[string, Partial<DiTConfig>]>([
  ['adaLN blocks', { block: 'adaLN' }],
  ['cross-attention', { block: 'cross-attention' }],
  ['in-context blocks', { block: 'in-context' }],
  ['rotary positions', { rope: true }],
  ['SwiGLU', { mlp: 'swiglu' }],
  ['RMS norm', { norm: 'rms' }],
  ['QK layer norm', { qkNorm: true }],
  ['QK RMS norm', { qkNorm: true, norm: 'rms' }],
  ['no shift', { modulationShift: false }],
  ['a modulation that blocks share', { sharedModulation: true }],
  ['label tokens and a narrow patch layer', { contextTokens: 3, contextStart: 1, patchBottleneck: 3, rope: true }],
  ['the parts of LightningDiT', { rope: true, mlp: 'swiglu', norm: 'rms' }],
  [
    'in-context blocks with modern parts',
    { block: 'in-context', norm: 'rms', mlp: 'swiglu', rope: true, qkNorm: true },
  ],
  ['cross-attention with modern parts', { block: 'cross-attention', norm: 'rms', mlp: 'swiglu', qkNorm: true }],
])('a network with %s gives the same output in ONNX Runtime', async (_, change) => {
  await expectAgreement({ ...config, ...change })
})
