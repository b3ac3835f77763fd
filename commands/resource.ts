/** The profile of a resource: who reads, uses and changes it, and from where. */
import { hasChosenName, printResource, profile, resourceFilters, resourceWord } from '#kit';

export default profile({
  name: 'resource',
  summary: 'Shows the profile of a resource, by its id, ARN or name: who reads, uses and changes it, calls, denials, what is new',
  example: 'orders-api 30d',
  words: { resource: resourceWord },
  subject: ({ resource }) => ({
    name: resource.name,
    word: printResource(resource),
    filters: resourceFilters(resource),
    names: hasChosenName(resource) ? 'resources' : undefined,
  }),
  dimensions: ['actor', 'call', 'account', 'address', 'service', 'region', 'error'],
  next: [
    { label: 'Full history', command: 'history', by: 'name' },
    { label: 'Who created it', command: 'who-created', by: 'name' },
    { label: 'Who changed it', command: 'who-changed', by: 'name' },
  ],
});
