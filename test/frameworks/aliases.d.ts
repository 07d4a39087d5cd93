// The older major versions, under the aliases in package.json. The types of the newer versions fit
// what the tests use.

declare module 'express4' {
  import express from 'express'
  export default express
}

declare module 'koa2' {
  import Koa from 'koa'
  export default Koa
}

declare module '@koa/ejs' {
  import type Koa from 'koa'
  export default function render(
    app: Koa,
    options: { readonly root: string; readonly viewExt: string; readonly layout: false },
  ): void
}
