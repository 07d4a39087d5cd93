import { readFileSync } from 'node:fs'
import { Converter } from 'typedoc'

const ROOT = '../../..'

const { exports } = JSON.parse(
  readFileSync(new URL(`${ROOT}/package.json`, import.meta.url), 'utf8'),
)
/** What they list is shown where it is used. */
const LISTS = ['LOG_CODES', 'REASON_CODES', 'WithDetails', 'SnakeCase']

const entries = Object.values(exports).filter(({ types }) => types)

/** Shows the type of `@throws {Type} when`, which the Markdown plugin omits. */
function showThrownTypes(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const { comment } of Object.values(project.reflections)) {
      for (const tag of comment?.getTags('@throws') ?? []) {
        const type = tag.typeAnnotation?.replace(/^\{(.*)\}$/, '`$1` ') ?? ''
        tag.content.unshift({ kind: 'text', text: type })
      }
    }
  })
}

/** The API reference: one page for each entry of the package. */
export default {
  plugin: ['typedoc-plugin-markdown', showThrownTypes],
  preservedTypeAnnotationTags: ['@throws'],
  tsconfig: `${ROOT}/tsconfig.build.json`,
  entryPoints: entries.map(({ types }) =>
    types.replace(/^\.\/dist\/(.*)\.d\.ts$/, `${ROOT}/lib/$1.ts`),
  ),
  name: 'API reference',
  readme: 'none',

  outputFileStrategy: 'modules',
  flattenOutputFiles: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  // Links to headings that GitHub numbers otherwise than the plugin resolve only with these.
  useHTMLAnchors: true,
  useCodeBlocks: true,
  expandParameters: true,
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  parametersFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true },
  // Links to lines would be out of date after most changes.
  disableSources: true,
  // Leaves out what Error and the types of Node.js and of the frameworks declare.
  excludeExternals: true,

  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  validation: { notExported: true, notDocumented: true, invalidLink: true },
  // Only the network itself reads its items, and the inputs are in `ImpressionInputs`.
  intentionallyNotExported: ['AnyInput', 'ClosientItem', 'EnsItem', 'Exclusive', ...LISTS],
  // Each kind of verdict is documented as a whole.
  intentionallyNotDocumented: ['kind', 'reason', 'count', 'retryAfterMs'].map(
    (property) => `ad-impressions.Verdict.__type.${property}`,
  ),
}
