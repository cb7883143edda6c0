import { describeConv2dBlocks } from './conv2d-blocks.js'
import { quickEngines } from './engines.js'

describeConv2dBlocks(quickEngines.slice(0, 1))
