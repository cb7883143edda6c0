/** A project that can be made. Its files are in `templates/<name>`. */
export interface Template {
  readonly name: string
  /** What it is, in a line of the help. */
  readonly title: string
  /** What to do in the new project after `npm install`: commands and what they do. */
  readonly next: readonly (readonly [command: string, what: string])[]
}

/** All templates, in the order in which they are offered. */
export const TEMPLATES: readonly Template[] = [
  {
    name: 'node',
    title: 'a TypeScript program for Node that opens a model and draws PNG files',
    next: [['npm start', 'trains a small model if there is none yet, and draws']],
  },
  {
    name: 'vite',
    title: 'a web page, with Vite, that draws in the visitor’s browser',
    next: [
      ['npm run train', 'makes the small model that the page opens'],
      ['npm run dev', 'serves the page'],
    ],
  },
  {
    name: 'train',
    title: 'a training project: your pictures, a config file, and the commands of dit',
    next: [
      ['npm run example-pictures', 'draws some to begin with; or put your own into pictures/'],
      ['npm run train', 'trains on pictures/'],
      ['npm run sample', 'draws new ones'],
    ],
  },
]
