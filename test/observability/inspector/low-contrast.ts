/**
 * The texts whose contrast with their background is too low. Runs in the page, so it uses nothing
 * from outside.
 */
export function findLowContrast(minContrast: number): string[] {
  // Methods, because a compiler may add helpers to functions that are constants.
  const colors = {
    luminance(color: string): number {
      const canvas = document.createElement('canvas').getContext('2d')
      if (!canvas) return Number.NaN
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
      const [red = 0, green = 0, blue = 0] = [...canvas.getImageData(0, 0, 1, 1).data].map(
        (value) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4),
      )
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    },
    backgroundOf(element: Element | null): string {
      if (!element) return 'white'
      const { backgroundColor } = getComputedStyle(element)
      const isTransparent = backgroundColor === 'rgba(0, 0, 0, 0)'
      return isTransparent ? colors.backgroundOf(element.parentElement) : backgroundColor
    },
    contrastOf(element: Element): number {
      const style = getComputedStyle(element)
      const color = element instanceof SVGElement ? style.fill : style.color
      const pair = [color, colors.backgroundOf(element)].map(colors.luminance)
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)
    },
  }
  return [...document.querySelectorAll('body *:not(script, style, noscript)')]
    .filter((element) =>
      [...element.childNodes].some(
        ({ nodeType, textContent }) => nodeType === 3 && textContent?.trim(),
      ),
    )
    .filter((element) => !(colors.contrastOf(element) >= minContrast))
    .map((element) => `${element.textContent}: ${colors.contrastOf(element).toFixed(1)}`)
}
