import path from 'node:path'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { impressions } from 'ad-impressions'
import { AdImpressions, AppModule } from './app.module.js'

export async function createExpressApp() {
  const app = await NestFactory.create<NestExpressApplication>(AppModule)
  app.use(impressions({ tracker: app.get(AdImpressions).tracker }))
  app.setBaseViewsDir(path.join(import.meta.dirname, '../views'))
  return app
}
