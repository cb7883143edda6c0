/** All tests of both tiers, about: `npm run test:all` tells when it is no longer right. */
export const numTests = 20_960
