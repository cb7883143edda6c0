import type { DiTConfig } from '@dit/model'
import { reference, useBackend } from '@dit/tensor'
import { test } from 'vitest'
import { expectAgreement, always, configOf, LABEL, TOKENS, VECTOR } from './conditions.js'

await useBackend(reference())

test.each<[string, DiTConfig]>([
  ['a label', configOf([LABEL])],
  ['a label that is always known, and a vector', configOf([always(LABEL), VECTOR], { rope: true })],
  ['a vector that is always known', configOf([always(VECTOR)])],
  ['a label and a vector in context', configOf([LABEL, VECTOR], { block: 'in-context' })],
  ['tokens through cross-attention', configOf([TOKENS], { block: 'cross-attention' })],
  ['tokens and their mean', configOf([{ ...TOKENS, pooled: true }], { block: 'cross-attention' })],
])('a network that is told %s gives the same output in ONNX Runtime', (_, of) => expectAgreement(of))
