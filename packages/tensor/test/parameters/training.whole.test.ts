import { reference } from '@dit/tensor'
import { test } from 'vitest'
import { fusedReference } from '../fused-reference.js'
import { expectToLearn } from './training.js'

test.each([{ ...reference(), name: 'without views', supportsViews: false }, fusedReference()])(
  '500 steps on $name learn a function and hold the number of buffers constant',
  (backend) => expectToLearn(backend),
)
