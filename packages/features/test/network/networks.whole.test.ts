import { cpu } from '@dit/backend-cpu'
import { LITE0, SMALL_INCEPTION, testLikeTorch, WHOLE_INCEPTION } from './networks.js'

// As in networks.test.ts: float32 in another order of sums.
testLikeTorch(await cpu(), [WHOLE_INCEPTION], 1e-5)
testLikeTorch(await cpu({ engine: 'wasm' }), [WHOLE_INCEPTION, SMALL_INCEPTION, LITE0], 1e-5)
