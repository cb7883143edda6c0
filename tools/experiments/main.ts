const USAGE = `npm run experiment -- <name> [options]

  captions          whether a network that learned from captions follows captions that it has not seen
  extractors        which features see what is done to small pictures
  measures          what each measure says of sets that are wrong in known ways
  predictions       what a small network should predict, at equal compute
  recipes           which default shows recognisable samples first on three sets of small pictures
  scaling-networks  kinds of networks at equal compute, from tables of dit scaling run
  scales            what the constants of the small extractor are made from
  solver-error      how far from the solution each solver ends, against calls of the network

Each file of tools/experiments and tools/experiments/evaluation begins with its options.`

const MODULES: Readonly<Record<string, () => Promise<unknown>>> = {
  captions: () => import('./captions.js'),
  extractors: () => import('./evaluation/extractors.js'),
  measures: () => import('./evaluation/measures.js'),
  predictions: () => import('./predictions.js'),
  recipes: () => import('./recipes.js'),
  'scaling-networks': () => import('./scaling-networks.js'),
  scales: () => import('./evaluation/scales.js'),
  'solver-error': () => import('./solver-error.js'),
}
const experiment = MODULES[process.argv[2] ?? '']
if (experiment === undefined) {
  console.error(USAGE)
  process.exitCode = 2
} else await experiment()
