import { reference } from '@dit/tensor'
import { test } from 'vitest'
import { expectToLearn } from './training.js'

test('500 steps learn a function and hold the number of buffers constant', () => expectToLearn(reference()))
