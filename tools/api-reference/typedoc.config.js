import { readFileSync } from 'node:fs'

const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const entries = Object.values(exports).filter(({ types }) => types)

/** The API reference in docs/api: one page for each entry of the package. */
export default {
  plugin: ['typedoc-plugin-markdown'],
  tsconfig: '../../tsconfig.build.json',
  entryPoints: entries.map(({ types }) =>
    types.replace(/^\.\/dist\/(.*)\.d\.ts$/, '../../lib/$1.ts'),
  ),
  out: '../../docs/api',
  readme: 'none',

  // One page for each entry, to be read in an editor and on GitHub.
  outputFileStrategy: 'modules',
  flattenOutputFiles: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  parametersFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  expandParameters: true,
  tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true },
  // What Error and the types of Node.js and frameworks declare.
  excludeExternals: true,
  // A link to a line would be out of date after most changes.
  disableSources: true,

  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  validation: { notExported: true, notDocumented: true, invalidLink: true },
}
