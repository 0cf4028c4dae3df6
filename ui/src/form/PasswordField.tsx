/*
 * A password with its label, and what is wrong with it.
 */
import { FormGroup, FormHelperText, HelperText, HelperTextItem } from '@patternfly/react-core';
import { PasswordInput } from './PasswordInput';

interface Props {
  id: string;
  label: string;
  value: string;
  error?: string | null | undefined;
  help?: string;
  autoComplete?: 'new-password' | 'current-password';
  onChange: (value: string) => void;
}

export function PasswordField({ id, label, value, error, help, autoComplete, onChange }: Props) {
  return (
    <FormGroup label={label} fieldId={id} isRequired>
      <PasswordInput
        id={id}
        value={value}
        autoComplete={autoComplete ?? 'new-password'}
        isRequired
        validated={error ? 'error' : 'default'}
        aria-describedby={`${id}-help`}
        onChange={onChange}
      />
      <FormHelperText>
        <HelperText id={`${id}-help`} isLiveRegion>
          {error && <HelperTextItem variant="error">{error}</HelperTextItem>}
          {help && <HelperTextItem>{help}</HelperTextItem>}
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}
