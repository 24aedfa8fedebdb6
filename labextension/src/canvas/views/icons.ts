/** Our own drawings for the catalogue's icon names: strokes on a 24 px grid. */
const BELL = 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21h4';
const EYE = 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4z';
const HEART = 'M12 20S3.5 15 3.5 9.2A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 8.5 2.200C20.5 15 12 20 12 20z';
const PERSON = 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.500a7.5 7.5 0 0 1 15 0';
const PHONE = 'M6 3.500h3.500l1.7 4.5-2.2 1.600a12 12 0 0 0 5.4 5.400l1.6-2.2 4.5 1.700V18a2.5 2.5 0 0 1-2.7 2.500C10.5 20 4 13.5 3.5 6.200A2.5 2.5 0 0 1 6 3.500z';
const RING = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z';
const SLASH = 'M4 4l16 16';
const SPEAKER = 'M4 9.500h3.500L12 5.500v13l-4.5-4H4z';
const STAR = 'M12 3.500l2.6 5.5 6 .8-4.4 4.2 1.1 6L12 17.1 6.7 20l1.1-6-4.4-4.2 6-.800z';
const LOCK = 'M5.5 10.500h13v10h-13zM12 14.500v2';
const SQUARE_CALENDAR = 'M4 5.500h16v15H4zM4 10h16M8 3v4M16 3v4';

export const ICONS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    accountCircle: [RING, 'M12 6.500a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM6.3 18.500a6 6 0 0 1 11.4 0'],
    add: ['M12 5v14M5 12h14'],
    arrowBack: ['M20 12H4.500M11 5.5 4.5 12l6.5 6.5'],
    arrowForward: ['M4 12h15.500M13 5.500l6.5 6.5-6.5 6.5'],
    attachFile: ['M18.5 11.500l-7 7a4.5 4.5 0 0 1-6.4-6.400l8-8a3 3 0 0 1 4.3 4.300l-7.7 7.700a1.5 1.5 0 0 1-2.2-2.200l6.7-6.7'],
    calendarToday: [SQUARE_CALENDAR, 'M8 13.500h3v3H8z'],
    call: [PHONE],
    camera: ['M3.5 7.500h4L9 5h6l1.5 2.500h4v12h-17z', 'M12 9.800a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z'],
    check: ['M4.5 12.500l5 5 10-11'],
    close: ['M5.5 5.500l13 13M18.5 5.500l-13 13'],
    delete: ['M5 6.500h14M9 6.500V4h6v2.500M6.5 6.500l1 14h9l1-14M10 10.500v6M14 10.500v6'],
    download: ['M12 4v11M6.5 10l5.5 5.5 5.5-5.500M4.5 20h15'],
    edit: ['M4 20l1-4.500L16.5 4 20 7.5 8.5 19zM14 6.500l3.5 3.5'],
    event: [SQUARE_CALENDAR, 'M13 13.500h3.500V17H13z'],
    error: [RING, 'M12 7.500v5.500M12 16.300v.2'],
    fastForward: ['M4 6l7.5 6L4 18zM12.5 6l7.5 6-7.5 6z'],
    favorite: [HEART],
    favoriteOff: [HEART, SLASH],
    folder: ['M3.5 6h6l2 2.500h9v10.500h-17z'],
    help: [RING, 'M9.3 9.300a2.7 2.7 0 1 1 4 2.400c-.9.5-1.3 1-1.3 2M12 16.800v.2'],
    home: ['M4 11.5 12 4.500l8 7M6 10v10h4.500v-5.500h3V20H18V10'],
    info: [RING, 'M12 11v5.500M12 7.500v.2'],
    locationOn: ['M12 21s-6.5-6.5-6.5-11.500a6.5 6.5 0 0 1 13 0C18.5 14.5 12 21 12 21z', 'M12 7.300a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.600z'],
    lock: [LOCK, 'M8 10.500V8a4 4 0 0 1 8 0v2.5'],
    lockOpen: [LOCK, 'M8 10.500V7a4 4 0 0 1 7.8-1.2'],
    mail: ['M3.5 6h17v12.500h-17z', 'M4 6.500l8 6.5 8-6.5'],
    menu: ['M4 6.500h16M4 12h16M4 17.500h16'],
    moreVert: ['M12 5.500v.200M12 12v.200M12 18.500v.2'],
    moreHoriz: ['M5.5 12h.200M12 12h.200M18.5 12h.2'],
    notificationsOff: [BELL, SLASH],
    notifications: [BELL],
    pause: ['M8 5.500v13M16 5.500v13'],
    payment: ['M3 6h18v12.500H3zM3 10h18M6.5 15h4'],
    person: [PERSON],
    phone: [PHONE],
    photo: ['M3.5 4.500h17v15h-17z', 'M4 17l5-5.5 4 4 2.5-2.5 4.5 4.500M15.5 8.500v.2'],
    play: ['M7 5l12 7-12 7z'],
    print: ['M7 9V4h10v5M7 16.500H4V9h16v7.500h-3M7 14h10v6H7z'],
    refresh: ['M19.5 12a7.5 7.5 0 1 1-2.3-5.400L19.5 9M19.5 4v5h-5'],
    rewind: ['M20 6l-7.5 6 7.5 6zM11.5 6 4 12l7.5 6z'],
    search: ['M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.500l5 5'],
    send: ['M4 4.500l17 7.5-17 7.5 2.5-7.500zM6.5 12H13'],
    settings: [
      'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
      'M10.3 3.500h3.400l.5 2.6 1.8 1 2.5-.9 1.7 2.9-2 1.800v2.200l2 1.8-1.7 2.9-2.5-.9-1.8 1-.5 2.600h-3.400l-.5-2.6-1.8-1-2.5.9-1.7-2.9 2-1.800v-2.200l-2-1.8 1.7-2.9 2.5.9 1.8-1z'
    ],
    share: ['M6 9.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM17.5 3.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM17.5 15.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM8.3 10.800l7-3.600M8.3 13.200l7 3.6'],
    shoppingCart: ['M3 4.500h3l2.5 11h9.500l2.5-8H7', 'M9.5 18.500a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM17 18.500a1 1 0 1 0 0 2 1 1 0 0 0 0-2z'],
    skipNext: ['M6 5.500l9.5 6.500L6 18.500zM18.5 5.500v13'],
    skipPrevious: ['M18 5.5 8.5 12l9.5 6.500zM5.5 5.500v13'],
    star: [STAR],
    starHalf: [STAR, 'M12 7v8M9.5 10v4.5'],
    starOff: [STAR, SLASH],
    stop: ['M6 6h12v12H6z'],
    upload: ['M12 16V5M6.5 10 12 4.500l5.5 5.500M4.5 20h15'],
    visibility: [EYE],
    visibilityOff: [EYE, SLASH],
    volumeDown: [SPEAKER, 'M15.5 9a4.5 4.5 0 0 1 0 6'],
    volumeMute: [SPEAKER],
    volumeOff: [SPEAKER, 'M15.5 9.500l5 5M20.5 9.500l-5 5'],
    volumeUp: [SPEAKER, 'M15.5 9a4.5 4.5 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11'],
    warning: ['M12 3.5 21.5 20h-19zM12 9.500v5M12 17.200v.2']
  })
);
