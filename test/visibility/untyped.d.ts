declare module 'nunjucks' {
  export function configure(
    root: string,
    options: { readonly autoescape: true; readonly express: import('express').Express },
  ): unknown
}
