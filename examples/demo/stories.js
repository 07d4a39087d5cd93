/** The lead story comes first. */
export const stories = [
  {
    slug: 'harbour-light',
    section: 'Harbour',
    art: 'lighthouse',
    title: 'The harbour light comes home after forty years in a barn',
    teaser:
      'The lens that guided the herring fleet was thought lost. A farmer found it under a tarpaulin, packed in straw and last read about in 1985.',
    author: 'Maud Ellery',
    minutes: 4,
    topics: 'harbour light lighthouse lantern',
    text: [
      'When Tom Aldous bought the barn at Cley Bottom he was told that it held hay, a broken harrow and nothing else. It took him three winters to reach the far wall. Behind the last bale stood a crate as tall as a door, and in it, wrapped in straw and pages of this newspaper, the lens of the harbour light.',
      '“I knew what it was before I had the lid off,” he says. “My grandfather was the last keeper. He drew it for me on the kitchen table, every ring of it.” The lens was taken down in 1985, when the light was made automatic, and was to go to a museum. It never arrived, and the papers that say why were pulped.',
      'It weighs as much as a small car and has lost one prism of two hundred and four. The harbour office has found a glassworks in Stourbridge that will cast another. Until then a plain block will stand in its place, so that the beam has a dark stripe: sailors will know the light by it, the harbour master says, as they know one another by their scars.',
      'On Saturday it goes back up, by crane and, for the last nine metres, by hand. The quay will be closed to cars from six in the morning. The lamp is lit at dusk, if the rain lets it, and the band plays either way.',
    ],
  },
  {
    slug: 'night-ferry',
    section: 'Estuary',
    art: 'ferry',
    title: 'The night ferry returns, and the town stays up for it',
    teaser: 'Two crossings after midnight, a bar with six stools, and no room for cars.',
    author: 'Idris Penhale',
    minutes: 3,
    topics: 'ferry night harbour rain',
    text: [
      'At ten past midnight on Thursday the Marsh Hen left the town steps with forty-one passengers, two dogs and a double bass. It was the first night crossing of the estuary since 2009, and for the length of the quay people stood and clapped.',
      'The boat runs twice after midnight from Thursday to Saturday. It takes eleven minutes at high water and nineteen at low. Nurses on the late shift had asked for it for years; it was in the end the brewery that paid for the fuel.',
      'There are six stools at the bar, and a rule that whoever has worked that night sits first. “You would be surprised how well it is kept,” says the mate, Olu Farrow. “Nobody has had to read it out yet.”',
      'The council will count heads until October. If the boat carries thirty a night, it stays.',
    ],
  },
  {
    slug: 'rope-walk-oven',
    section: 'Table',
    art: 'bread',
    title: 'One oven, nine bakers: a shared kitchen on Rope Walk',
    teaser: 'They bake in shifts, sell from one counter, and argue about rye.',
    author: 'Saskia Brandt',
    minutes: 5,
    topics: 'bread bakery oven food',
    text: [
      'The oven at 14 Rope Walk has not gone cold since February. Nine bakers share it in shifts of four hours, and the board by the door says who is in: at three in the morning it is Ines with the rye, at seven it is Paul, whose buns are gone by eight.',
      'None of them could have bought it. It came from a school kitchen in Norwich, needed a new floor, and went in through the roof. Each of the nine owns a ninth of it, in writing, down to the bricks.',
      'They sell from one counter and put the takings in one tin. What each has earned is worked out on Sundays from the weight of flour used, less a tenth for the gas. “It is the fairest thing I have ever been part of,” says Ines, “and the loudest.”',
      'The argument of this month is whether a loaf with a third of wheat may be called rye. The Courier was asked to judge, ate both, and declined.',
    ],
  },
  {
    slug: 'allotments',
    section: 'Town hall',
    art: 'allotment',
    title: 'For the first time, the waiting list for allotments is closed',
    teaser: 'Two hundred and six names stand on it. The last of them may dig in 2041.',
    author: 'Maud Ellery',
    minutes: 2,
    topics: 'garden allotment plants seeds',
    text: [
      'The town has eighty-eight allotments and, since Monday, a list of two hundred and six people who would like one. The clerk has closed it. At the present rate, she says, the last name on it will be given a spade in 2041.',
      'Councillors will vote in May on halving the larger plots as they fall free. The gardeners’ society is against it, except for those of its members who are on the list.',
      'In the meantime the churchyard, the station and the roof of the library have offered beds. The station’s are already taken: by the stationmaster, who grows leeks.',
    ],
  },
  {
    slug: 'library-of-things',
    section: 'Town',
    art: 'ladder',
    title: 'The library of things lends its thousandth ladder',
    teaser: 'Also a tuba, four tents and the only wallpaper steamer in the county.',
    author: 'Idris Penhale',
    minutes: 2,
    topics: 'library tools garden',
    text: [
      'The ladder is an ordinary one, aluminium, with three sections. On Tuesday it was lent for the thousandth time, to Mrs Oyelaran of Quay Street, who has a gutter. There was cake.',
      'What began as a shelf of drills beside the large-print novels fills the old reading room by now. The most wanted thing is the carpet cleaner. The least is a tuba, which has been out once and came back the same evening, with a note from the neighbours.',
      'Things are lent for a week. Fines are a penny a day, and go to the ladder fund, which has bought a second ladder.',
    ],
  },
]

export function findStory(slug) {
  return stories.find((story) => story.slug === slug)
}

/** The stories that contain every word of the query. */
export function searchStories(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return []
  return stories.filter(({ title, teaser, topics, section, text }) => {
    const content = [title, teaser, topics, section, ...text].join(' ').toLowerCase()
    return words.every((word) => content.includes(word))
  })
}
