/**
 * The kinds of files that can go along. With any other, Twilio takes the message and loses all of it (12300).
 * https://www.twilio.com/docs/messaging/guides/accepted-mime-types
 * https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages
 */
export function isTaken(contentType: string, whatsApp: boolean): boolean {
  const [type = ''] = contentType.toLowerCase().split(';', 1);
  return (whatsApp ? whatsAppTypes : mmsTypes).has(type.trim());
}

const whatsAppTypes = new Set([
  ...['image/jpeg', 'image/jpg', 'image/png', 'image/webp'],
  ...['audio/ogg', 'audio/amr', 'audio/3gpp', 'audio/aac', 'audio/mpeg', 'audio/mp4'],
  ...['video/mp4', 'video/3gpp'],
  ...['text/vcard', 'text/x-vcard', 'application/vcard', 'application/pdf', 'application/msword'],
  ...['application/vnd.ms-excel', 'application/vnd.ms-powerpoint'],
  ...['wordprocessingml.document', 'presentationml.presentation', 'spreadsheetml.sheet'].map(
    (kind) => `application/vnd.openxmlformats-officedocument.${kind}`,
  ),
]);

const mmsTypes = new Set([
  ...[
    'image/jpeg',
    'image/jpg',
    'image/gif',
    'image/png',
    'image/bmp',
    'image/tiff',
    'image/heic',
    'image/heif',
  ],
  ...['audio/basic', 'audio/mp4', 'audio/mpeg', 'audio/ogg', 'audio/3gpp', 'audio/webm', 'audio/amr'],
  ...['video/mpeg', 'video/mp4', 'video/quicktime', 'video/webm', 'video/3gpp'],
  ...[
    'text/vcard',
    'text/x-vcard',
    'text/csv',
    'text/rtf',
    'text/calendar',
    'application/vcard',
    'application/pdf',
  ],
]);
