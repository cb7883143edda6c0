import { reference } from '@dit/tensor'
import { testLikeDiffusers } from './diffusers.js'

testLikeDiffusers(reference())
