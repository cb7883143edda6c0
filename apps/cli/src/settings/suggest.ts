export { didYouMean, nearest } from '@dit/pipeline'
