/*
 * A password that can be looked at while it is typed.
 */
import { Button, InputGroup, InputGroupItem, TextInput } from '@patternfly/react-core';
import EyeIcon from '@patternfly/react-icons/dist/esm/icons/eye-icon';
import EyeSlashIcon from '@patternfly/react-icons/dist/esm/icons/eye-slash-icon';
import { useState } from 'react';
import { t } from '../texts';

interface Props {
  id: string;
  value: string;
  onChange: (value: string) => void;
  autoComplete: 'current-password' | 'new-password';
  isDisabled?: boolean;
  isRequired?: boolean;
  validated?: 'error' | 'default';
  'aria-describedby'?: string;
}

export function PasswordInput({ onChange, ...rest }: Props) {
  const [shows, setShows] = useState(false);
  return (
    <InputGroup>
      <InputGroupItem isFill>
        <TextInput
          {...rest}
          type={shows ? 'text' : 'password'}
          spellCheck={false}
          onChange={(_, value) => onChange(value)}
        />
      </InputGroupItem>
      <InputGroupItem>
        <Button
          variant="control"
          icon={shows ? <EyeSlashIcon /> : <EyeIcon />}
          aria-label={t(shows ? 'login.hide' : 'login.show')}
          onClick={() => setShows(!shows)}
        />
      </InputGroupItem>
    </InputGroup>
  );
}
