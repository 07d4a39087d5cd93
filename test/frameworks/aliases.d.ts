// The older major versions, under the names that package.json gives them. What the tests use of
// them has the newer ones' types.

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
