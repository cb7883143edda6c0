import { describeConv2dBlocks } from './conv2d-blocks.js'
import { otherEngines, quickEngines } from './engines.js'

describeConv2dBlocks([...quickEngines.slice(1), ...otherEngines])
