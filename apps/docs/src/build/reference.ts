import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Application, type Comment, type ProjectReflection, type Reflection, TSConfigReader } from 'typedoc'
import { formulasAsCode } from './formulas-as-code.js'
import { app, repository } from './paths.js'
import { mendAnchors } from './mend-anchors.js'
import { type Entry, publicEntries } from './public-entries.js'

/**
 * Writes a Markdown page for every public entry into `out`, or for some of them, from types and doc comments.
 *
 * @throws Error where TypeDoc reports an error; a warning about a comment is one
 */
export async function writeReference(out: string, entries: readonly Entry[] = publicEntries()): Promise<void> {
  const application = await Application.bootstrapWithPlugins(
    {
      plugin: ['typedoc-plugin-markdown'],
      entryPoints: entries.map(({ source }) => join(repository, source)),
      tsconfig: join(app, 'tsconfig.reference.json'),
      basePath: repository,
      displayBasePath: repository,
      readme: 'none',
      githubPages: false,
      disableGit: true,
      sourceLinkTemplate: '{path}',
      groupOrder: ['Functions', 'Variables', 'Classes', 'Interfaces', 'Type Aliases', '*'],
      excludePrivate: true,
      excludeInternal: true,
      excludeExternals: true,
      logLevel: 'Warn',
      validation: { notExported: false, invalidLink: true, invalidPath: false, notDocumented: false },
      ...({
        outputs: [{ name: 'markdown', path: out }],
        outputFileStrategy: 'modules',
        entryFileName: 'index',
        tableColumnSettings: { hideSources: true },
        hideBreadcrumbs: true,
        hidePageHeader: true,
        hidePageTitle: false,
        hideGroupHeadings: false,
        parametersFormat: 'table',
        interfacePropertiesFormat: 'table',
        typeDeclarationFormat: 'table',
        classPropertiesFormat: 'table',
        enumMembersFormat: 'table',
        expandParameters: false,
        useCodeBlocks: true,
        useHTMLEncodedBrackets: true,
        sanitizeComments: true,
        pageTitleTemplates: { module: ({ name }: { name: string }) => nameOf(name) },
      } as object),
    },
    [new TSConfigReader()],
  )
  application.converter.on('resolveEnd', ({ project }: { project: ProjectReflection }) => {
    for (const reflection of Object.values(project.reflections)) mendComment(reflection)
  })
  const project = await application.convert()
  if (project === undefined) throw new Error('writeReference: TypeDoc could not read the packages; it says why above')
  for (const module of project.children ?? []) {
    const source = module.sources?.[0].fileName
    const entry = entries.find((entry) => entry.source === source)
    if (entry === undefined)
      throw new Error(`writeReference: no entry has the source ${source} of module ${module.name}`)
    module.name = entry.page
  }
  await application.generateOutputs(project)
  if (application.logger.hasErrors()) throw new Error('writeReference: TypeDoc reported errors; see above')
  mendPages(out, entries)
}

/** A page with nothing but its name for every public entry, for builds that are to be fast. */
export function writeEmptyReference(out: string): void {
  for (const { page, specifier } of publicEntries()) {
    const path = join(out, `${page}.md`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `# ${specifier}\n\nThis build leaves the reference out.\n`)
  }
}

/** The pages as VitePress wants them: sources as text, since the repository has no public address yet. */
function mendPages(out: string, entries: readonly Entry[]): void {
  for (const name of ['index.md', '_media']) rmSync(join(out, name), { recursive: true, force: true })
  for (const { page } of entries) {
    const path = join(out, `${page}.md`)
    const text = readFileSync(path, 'utf8')
      .replace(/^Defined in: \[([^\]:]+):\d+\]\([^)]*\)/gm, 'In `$1`')
      .replace(/\]\((?:\.\.\/)*_media\/([\w-]+)\.md/g, '](/guides/$1')
      .replaceAll('__namedParameters', 'options')
    writeFileSync(path, `---\noutline: [2, 3]\n---\n\n${mendAnchors(text)}`)
  }
}

function nameOf(page: string): string {
  return publicEntries().find((entry) => entry.page === page)?.specifier ?? page
}

function mendComment(reflection: Reflection): void {
  const comment: Comment | undefined = reflection.comment
  if (comment === undefined) return
  comment.summary = formulasAsCode(comment.summary)
  for (const tag of comment.blockTags) tag.content = formulasAsCode(tag.content)
}
