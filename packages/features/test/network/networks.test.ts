import { cpu } from '@dit/backend-cpu'
import { LITE0, SMALL_INCEPTION, testLikeTorch } from './networks.js'

// float32 in torch differs by up to 1.3e-6 of the largest value, in another order of sums.
testLikeTorch(await cpu(), [SMALL_INCEPTION, LITE0], 1e-5)
