import {
  Controller,
  Get,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Redirect,
  Render,
  Res,
} from '@nestjs/common'
import { createTracker, type TrackImpression } from 'ad-impressions'
import { banner, products } from '../../ads.js'

@Injectable()
export class AdImpressions implements OnApplicationShutdown {
  readonly tracker = createTracker() // keys from ENS_API_KEY and CLOSIENT_API_KEY

  async onApplicationShutdown() {
    await this.tracker.close() // delivers pending impressions
  }
}

@Controller()
class PageController {
  @Get()
  @Render('page.ejs')
  showPage() {
    return { banner, products } // the view also gets trackImpression
  }

  /** Counts nothing: a redirect displays nothing. */
  @Get('moved')
  @Redirect('/')
  move(@Res({ passthrough: true }) { locals }: { locals: { trackImpression: TrackImpression } }) {
    locals.trackImpression(products[0])
  }
}

@Module({ controllers: [PageController], providers: [AdImpressions] })
export class AppModule {}
