-- What was spent of each campaign that has a price: added to in the transaction that counts the events. The check refuses
-- what would go beyond the budget; whoever fails by it reads what was spent and plans anew.
CREATE TABLE spend (
  campaign_id TEXT    NOT NULL PRIMARY KEY,
  nanos       INTEGER NOT NULL, -- thousand-millionths of the campaign's currency
  limit_nanos INTEGER NOT NULL,
  CHECK (nanos <= limit_nanos)
) STRICT, WITHOUT ROWID;
