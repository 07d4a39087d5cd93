/** The compiled client script. `npm run build` writes this module. */
declare module '#client-script' {
  const text: string
  export default text
}
