/** A page of the site that is a text of the repository. */
export interface Guide {
  /** Below the repository's root. */
  readonly source: string
  /** Its address below `/guides/`. */
  readonly page: string
  /** In the side bar. */
  readonly title: string
}

/** Guides about one thing. */
export interface Topic {
  readonly title: string
  readonly guides: readonly Guide[]
}

const guide = (name: string, title: string): Guide => ({ source: `docs/${name}.md`, page: name, title })

/** All guides by topic. A test holds that none of `docs/` is missing. */
export const TOPICS: readonly Topic[] = [
  {
    title: 'Web pages',
    guides: [guide('web-pages', 'Pictures in a web page')],
  },
  {
    title: 'Pictures',
    guides: [
      guide('own-data', 'Your own pictures'),
      guide('transparency', 'Transparency'),
      guide('tar-shards', 'Pictures in tar shards'),
      guide('data-sets', 'Real pictures to try'),
    ],
  },
  {
    title: 'Training',
    guides: [
      guide('choosing', 'What to predict, how to sample'),
      guide('blocks', 'Blocks'),
      guide('fine-tuning', 'Fine-tuning'),
      guide('conditions', 'Captions and other conditions'),
      guide('distillation', 'Students of few steps'),
      guide('latents', 'Latents and published weights'),
      guide('distributed', 'Many workers'),
      guide('evaluating-while-training', 'Evaluating while training'),
    ],
  },
  {
    title: 'Judging',
    guides: [
      guide('evaluating', 'Is it any good?'),
      guide('evaluation-study', 'What measures see'),
      guide('scaling', 'Scaling laws'),
      guide('scaling-experiment', 'A scaling experiment'),
    ],
  },
  {
    title: 'Engines',
    guides: [
      guide('node-cpu', 'Node on the processor'),
      guide('using-webgpu', 'WebGPU in Node and in pages'),
      guide('exporting', 'Export'),
      guide('engines', 'Engines'),
      guide('webgpu', 'Inside WebGPU'),
      guide('cuda', 'TensorFlow and CUDA in Node'),
    ],
  },
  {
    title: 'Your own parts',
    guides: [
      guide('cookbook', 'Cookbook: data, sampler, objective, backend'),
      guide('own-network', 'A network of your own'),
      guide('own-solver', 'A solver of your own'),
    ],
  },
  {
    title: 'The project',
    guides: [
      guide('architecture', 'Architecture'),
      { source: 'CONTRIBUTING.md', page: 'contributing', title: 'Working on dit' },
      guide('toolchain', 'Toolchain'),
    ],
  },
]

/** The guides of all topics. */
export const GUIDES: readonly Guide[] = TOPICS.flatMap(({ guides }) => guides)
