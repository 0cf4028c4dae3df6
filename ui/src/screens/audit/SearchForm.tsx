/*
 * What is looked for in the log.
 */
import {
  ActionGroup,
  Button,
  Form,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  Grid,
  GridItem,
  HelperText,
  HelperTextItem,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { t, type TextKey } from '../../texts';
import { nothing, services, typedFilters, type AuditService, type Search } from './search';

type TextName = 'username' | 'event' | 'address' | 'from' | 'to';

const texts: readonly [TextName, TextKey, 'text' | 'datetime-local'][] = [
  ['username', 'audit.user', 'text'],
  ['event', 'audit.event', 'text'],
  ['address', 'audit.address', 'text'],
  ['from', 'audit.from', 'datetime-local'],
  ['to', 'audit.to', 'datetime-local'],
];

const outcomes: readonly [Search['success'], TextKey][] = [
  ['', 'audit.either'],
  ['true', 'audit.success'],
  ['false', 'audit.failure'],
];

function Choice({ id, label, value, choices, onChange }: {
  id: string;
  label: string;
  value: string;
  choices: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}) {
  return (
    <FormGroup label={label} fieldId={id}>
      <FormSelect id={id} value={value} onChange={(_, chosen) => onChange(chosen)}>
        {choices.map(([name, title]) => (
          <FormSelectOption key={name} value={name} label={title} />
        ))}
      </FormSelect>
    </FormGroup>
  );
}

function Filters({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const wrong = typedFilters(value) === undefined;
  return (
    <FormGroup label={t('audit.filters')} fieldId="audit-filters">
      <TextInput
        id="audit-filters"
        className="hf-code"
        value={value}
        validated={wrong ? 'error' : 'default'}
        aria-describedby="audit-filters-help"
        aria-invalid={wrong}
        spellCheck={false}
        onChange={(_, text) => onChange(text)}
      />
      <FormHelperText>
        <HelperText id="audit-filters-help" isLiveRegion>
          {wrong && <HelperTextItem variant="error">{t('audit.filters.wrong')}</HelperTextItem>}
          <HelperTextItem>{t('audit.filters.help')}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

export function SearchForm({ onSearch }: { onSearch: (search: Search) => void }) {
  const [typed, setTyped] = useState<Search>(nothing);
  const valid = typedFilters(typed.filters) !== undefined;
  const set = (some: Partial<Search>) => setTyped({ ...typed, ...some });
  return (
    <Form
      role="search"
      aria-label={t('audit.search')}
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) onSearch(typed);
      }}
    >
      <Grid hasGutter md={4} lg={3}>
        <Choice
          id="audit-service"
          label={t('audit.service')}
          value={typed.service}
          choices={services.map((one) => [one, one] as const)}
          onChange={(service) => set({ service: service as AuditService })}
        />
        {texts.map(([name, label, type]) => (
          <FormGroup key={name} label={t(label)} fieldId={`audit-${name}`}>
            <TextInput
              id={`audit-${name}`}
              type={type}
              value={typed[name]}
              onChange={(_, value) => set({ [name]: value })}
            />
          </FormGroup>
        ))}
        <Choice
          id="audit-success"
          label={t('audit.outcome')}
          value={typed.success}
          choices={outcomes.map(([name, key]) => [name, t(key)] as const)}
          onChange={(success) => set({ success: success as Search['success'] })}
        />
        <GridItem span={12}>
          <Filters value={typed.filters} onChange={(filters) => set({ filters })} />
        </GridItem>
      </Grid>
      <ActionGroup>
        <Button type="submit" variant="secondary" isDisabled={!valid}>
          {t('audit.search')}
        </Button>
        <Button
          variant="link"
          onClick={() => {
            setTyped(nothing);
            onSearch(nothing);
          }}
        >
          {t('audit.clear')}
        </Button>
      </ActionGroup>
    </Form>
  );
}
