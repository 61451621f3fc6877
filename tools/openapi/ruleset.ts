import spectralFunctions from '@stoplight/spectral-functions';
import owaspPackage from '@stoplight/spectral-owasp-ruleset';
import spectralRulesets from '@stoplight/spectral-rulesets';

const { schema } = spectralFunctions;
const { oas } = spectralRulesets;

/** Wherever a request says something: in its body, and beside its path. */
const incoming = (type: string) => [
  `$.paths[*][*].requestBody..[?(@ && @.type=='${type}')]`,
  `$.paths[*][*].parameters..[?(@ && @.type=='${type}')]`,
];

const isBounded = (message: string, ...bounds: string[][]) => ({
  message,
  severity: 0,
  // biome-ignore lint/suspicious/noThenProperty: the form of a rule
  then: {
    function: schema,
    functionOptions: { schema: { anyOf: bounds.map((required) => ({ required })) } },
  },
});

/**
 * What the description of the API has to hold: the recommendations for OpenAPI, and OWASP's of its API Top 10. Where one of
 * these does not fit, it says why.
 */
export const ruleset = {
  extends: [
    [oas, 'recommended'],
    [(owaspPackage as { default?: unknown }).default ?? owaspPackage, 'recommended'],
  ],
  rules: {
    // There is nobody to name: it describes the installation of whoever runs it.
    'info-contact': 'off',
    // The address is the installation's own.
    'owasp:api9:2023-inventory-access': 'off',
    'owasp:api9:2023-inventory-environment': 'off',
    // Browsers of other origins are not let in, which is what an answer without CORS headers says.
    'owasp:api8:2023-define-cors-origin': 'off',
    // Which calls need no credentials stands in the contract; test/isolation/prover tries all others without.
    'owasp:api2:2023-write-restricted': 'off',
    'owasp:api2:2023-read-restricted': 'off',
    // It takes the id of an API key for the key.
    'owasp:api2:2023-no-credentials-in-url': 'off',
    // Every answer may carry these headers, and those of calls about a tenant do.
    'owasp:api4:2023-rate-limit': 'off',

    // Bounds are asked of what comes in, and not of what we answer. A pattern or a format bounds a text as well.
    'owasp:api4:2023-string-limit': 'off',
    'owasp:api4:2023-string-restricted': 'off',
    'owasp:api4:2023-array-limit': 'off',
    'owasp:api4:2023-integer-limit': 'off',
    'owasp:api4:2023-integer-limit-legacy': 'off',
    'owasp:api4:2023-integer-format': 'off',
    'incoming-text-is-bounded': {
      given: incoming('string'),
      ...isBounded(
        'A text that comes in needs a bound.',
        ['maxLength'],
        ['enum'],
        ['const'],
        ['pattern'],
        ['format'],
      ),
    },
    'incoming-list-is-bounded': {
      given: incoming('array'),
      ...isBounded('A list that comes in needs maxItems.', ['maxItems']),
    },
    'incoming-number-is-bounded': {
      given: incoming('integer'),
      ...isBounded('A number that comes in needs a minimum and a maximum.', ['minimum', 'maximum']),
    },
  },
};
