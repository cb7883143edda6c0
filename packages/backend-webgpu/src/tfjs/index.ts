export { shareWithTfjs, type TfjsBridge } from './share.js'
