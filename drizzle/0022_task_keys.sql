-- Tasks get two keys: one that makes external ids the same whatever their Unicode normalization and surrounding blanks, and
-- one that sorts and searches titles without regard to case. Pairs of characters find words of two Chinese, Japanese or
-- Korean characters.
--
-- Columns instead of indexes on expressions: under row security Postgres uses an index only for conditions on columns or
-- on leakproof functions, and only a superuser can create these. So a page deep in the list of a million titles would read
-- all pages before it. Nor generated columns: adding one rewrites the table under an ACCESS EXCLUSIVE lock.
--
-- This migration only adds empty columns, their triggers and nearly empty indexes. `npm run migrate` then fills the keys
-- in parts (fill_task_keys). Until it is done, tasks without keys are not found by `q` and come last when sorted by title.
DROP INDEX "tasks_title";
--> statement-breakpoint
DROP INDEX "tasks_search";
--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "external_id_key" text collate "C";
--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "title_key" text collate "C";
--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_external_id_key" ON "tasks" USING btree ("tenant_id","external_id_key") WHERE "tasks"."external_id_key" is not null;
--> statement-breakpoint
CREATE INDEX "tasks_title" ON "tasks" USING btree ("tenant_id","title_key","id");
--> statement-breakpoint
create or replace function fold_unicode(x text) returns text
  language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select normalize(string_agg(coalesce(fold ->> c, lower(c collate "C")), '' order by n), nfc)
    from string_to_table(normalize(x, nfd), null) with ordinality as s(c, n),
      (select jsonb_object(string_to_array(
        'µÆÐØÞĐĦĲĿŁŊŒŦſƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƢƤƦƧƩƬƮƱƲƳƵƷƸƼǄǅǇǈǊǋǤǱǲǶǷȜȠȢȤȺȻȽȾɁɃɄɅɆɈɊɌɎͰͲͶͿΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠ'
        'ΡΣΤΥΦΧΨΩςϏϐϑϕϖϘϚϜϞϠϢϤϦϨϪϬϮϰϱϴϵϷϹϺϽϾϿЂЄЅІЈЉЊЋЏАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѸѺѼѾҀҊҌҎҐ'
        'ҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӃӅӇӉӋӍӔӘӠӨӶӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒ'
        'ՓՔՕՖႠႡႢႣႤႥႦႧႨႩႪႫႬႭႮႯႰႱႲႳႴႵႶႷႸႹႺႻႼႽႾႿჀჁჂჃჄჅჇჍᏸᏹᏺᏻᏼᏽᲀᲁᲂᲃᲄᲅᲆᲇᲈᲐᲑᲒᲓᲔᲕᲖᲗᲘᲙᲚᲛᲜᲝᲞᲟᲠᲡᲢᲣᲤᲥᲦᲧᲨᲩᲪᲫᲬᲭᲮᲯᲰᲱᲲᲳᲴ'
        'ᲵᲶᲷᲸᲹᲺᲽᲾᲿỺỼỾℲⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫⅬⅭⅮⅯↃⒶⒷⒸⒹⒺⒻⒼⒽⒾⒿⓀⓁⓂⓃⓄⓅⓆⓇⓈⓉⓊⓋⓌⓍⓎⓏⰀⰁⰂⰃⰄⰅⰆⰇⰈⰉⰊⰋⰌⰍⰎⰏⰐⰑⰒⰓⰔⰕⰖⰗⰘⰙⰚⰛⰜⰝⰞⰟⰠⰡⰢⰣⰤⰥⰦⰧ'
        'ⰨⰩⰪⰫⰬⰭⰮⰯⱠⱢⱣⱤⱧⱩⱫⱭⱮⱯⱰⱲⱵⱾⱿⲀⲂⲄⲆⲈⲊⲌⲎⲐⲒⲔⲖⲘⲚⲜⲞⲠⲢⲤⲦⲨⲪⲬⲮⲰⲲⲴⲶⲸⲺⲼⲾⳀⳂⳄⳆⳈⳊⳌⳎⳐⳒⳔⳖⳘⳚⳜⳞⳠⳢⳫⳭⳲꙀꙂꙄꙆꙈꙊꙌꙎꙐꙒꙔꙖꙘꙚꙜꙞꙠꙢꙤꙦ'
        'ꙨꙪꙬꚀꚂꚄꚆꚈꚊꚌꚎꚐꚒꚔꚖꚘꚚꜢꜤꜦꜨꜪꜬꜮꜲꜴꜶꜸꜺꜼꜾꝀꝂꝄꝆꝈꝊꝌꝎꝐꝒꝔꝖꝘꝚꝜꝞꝠꝢꝤꝦꝨꝪꝬꝮꝹꝻꝽꝾꞀꞂꞄꞆꞋꞍꞐꞒꞖꞘꞚꞜꞞꞠꞢꞤꞦꞨꞪꞫꞬꞭꞮꞰꞱꞲꞳꞴꞶꞸꞺꞼꞾꟀꟂꟄꟅ'
        'ꟆꟇꟉꟐꟖꟘꟵꭰꭱꭲꭳꭴꭵꭶꭷꭸꭹꭺꭻꭼꭽꭾꭿꮀꮁꮂꮃꮄꮅꮆꮇꮈꮉꮊꮋꮌꮍꮎꮏꮐꮑꮒꮓꮔꮕꮖꮗꮘꮙꮚꮛꮜꮝꮞꮟꮠꮡꮢꮣꮤꮥꮦꮧꮨꮩꮪꮫꮬꮭꮮꮯꮰꮱꮲꮳꮴꮵꮶꮷꮸꮹꮺꮻꮼꮽꮾꮿＡＢＣＤＥＦＧＨＩ'
        'ＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ𐐀𐐁𐐂𐐃𐐄𐐅𐐆𐐇𐐈𐐉𐐊𐐋𐐌𐐍𐐎𐐏𐐐𐐑𐐒𐐓𐐔𐐕𐐖𐐗𐐘𐐙𐐚𐐛𐐜𐐝𐐞𐐟𐐠𐐡𐐢𐐣𐐤𐐥𐐦𐐧𐒰𐒱𐒲𐒳𐒴𐒵𐒶𐒷𐒸𐒹𐒺𐒻𐒼𐒽𐒾𐒿𐓀𐓁𐓂𐓃𐓄𐓅𐓆𐓇𐓈𐓉𐓊𐓋𐓌𐓍𐓎𐓏𐓐𐓑𐓒𐓓𐕰𐕱𐕲'
        '𐕳𐕴𐕵𐕶𐕷𐕸𐕹𐕺𐕼𐕽𐕾𐕿𐖀𐖁𐖂𐖃𐖄𐖅𐖆𐖇𐖈𐖉𐖊𐖌𐖍𐖎𐖏𐖐𐖑𐖒𐖔𐖕𐲀𐲁𐲂𐲃𐲄𐲅𐲆𐲇𐲈𐲉𐲊𐲋𐲌𐲍𐲎𐲏𐲐𐲑𐲒𐲓𐲔𐲕𐲖𐲗𐲘𐲙𐲚𐲛𐲜𐲝𐲞𐲟𐲠𐲡𐲢𐲣𐲤𐲥𐲦𐲧𐲨𐲩𐲪𐲫𐲬𐲭𐲮𐲯𐲰𐲱𐲲𑢠𑢡𑢢𑢣𑢤𑢥𑢦𑢧𑢨𑢩𑢪𑢫𑢬'
        '𑢭𑢮𑢯𑢰𑢱𑢲𑢳𑢴𑢵𑢶𑢷𑢸𑢹𑢺𑢻𑢼𑢽𑢾𑢿𖹀𖹁𖹂𖹃𖹄𖹅𖹆𖹇𖹈𖹉𖹊𖹋𖹌𖹍𖹎𖹏𖹐𖹑𖹒𖹓𖹔𖹕𖹖𖹗𖹘𖹙𖹚𖹛𖹜𖹝𖹞𖹟𞤀𞤁𞤂𞤃𞤄𞤅𞤆𞤇𞤈𞤉𞤊𞤋𞤌𞤍𞤎𞤏𞤐𞤑𞤒𞤓𞤔𞤕𞤖𞤗𞤘𞤙𞤚𞤛𞤜𞤝𞤞𞤟𞤠𞤡', null), string_to_array(
        'μæðøþđħĳŀłŋœŧsɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵƣƥʀƨʃƭʈʊʋƴƶʒƹƽǆǆǉǉǌǌǥǳǳƕƿȝƞȣȥⱥȼƚⱦɂƀʉʌɇɉɋɍɏͱͳͷϳαβγδεζηθικλμνξοπ'
        'ρστυφχψωσϗβθφπϙϛϝϟϡϣϥϧϩϫϭϯκρθεϸϲϻͻͼͽђєѕіјљњћџабвгдежзиклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѹѻѽѿҁҋҍҏґ'
        'ғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӄӆӈӊӌӎӕәӡөӷӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւ'
        'փքօֆⴀⴁⴂⴃⴄⴅⴆⴇⴈⴉⴊⴋⴌⴍⴎⴏⴐⴑⴒⴓⴔⴕⴖⴗⴘⴙⴚⴛⴜⴝⴞⴟⴠⴡⴢⴣⴤⴥⴧⴭᏰᏱᏲᏳᏴᏵвдосттъѣꙋაბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰჱჲჳჴ'
        'ჵჶჷჸჹჺჽჾჿỻỽỿⅎⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹⅺⅻⅼⅽⅾⅿↄⓐⓑⓒⓓⓔⓕⓖⓗⓘⓙⓚⓛⓜⓝⓞⓟⓠⓡⓢⓣⓤⓥⓦⓧⓨⓩⰰⰱⰲⰳⰴⰵⰶⰷⰸⰹⰺⰻⰼⰽⰾⰿⱀⱁⱂⱃⱄⱅⱆⱇⱈⱉⱊⱋⱌⱍⱎⱏⱐⱑⱒⱓⱔⱕⱖⱗ'
        'ⱘⱙⱚⱛⱜⱝⱞⱟⱡɫᵽɽⱨⱪⱬɑɱɐɒⱳⱶȿɀⲁⲃⲅⲇⲉⲋⲍⲏⲑⲓⲕⲗⲙⲛⲝⲟⲡⲣⲥⲧⲩⲫⲭⲯⲱⲳⲵⲷⲹⲻⲽⲿⳁⳃⳅⳇⳉⳋⳍⳏⳑⳓⳕⳗⳙⳛⳝⳟⳡⳣⳬⳮⳳꙁꙃꙅꙇꙉꙋꙍꙏꙑꙓꙕꙗꙙꙛꙝꙟꙡꙣꙥꙧ'
        'ꙩꙫꙭꚁꚃꚅꚇꚉꚋꚍꚏꚑꚓꚕꚗꚙꚛꜣꜥꜧꜩꜫꜭꜯꜳꜵꜷꜹꜻꜽꜿꝁꝃꝅꝇꝉꝋꝍꝏꝑꝓꝕꝗꝙꝛꝝꝟꝡꝣꝥꝧꝩꝫꝭꝯꝺꝼᵹꝿꞁꞃꞅꞇꞌɥꞑꞓꞗꞙꞛꞝꞟꞡꞣꞥꞧꞩɦɜɡɬɪʞʇʝꭓꞵꞷꞹꞻꞽꞿꟁꟃꞔʂ'
        'ᶎꟈꟊꟑꟗꟙꟶᎠᎡᎢᎣᎤᎥᎦᎧᎨᎩᎪᎫᎬᎭᎮᎯᎰᎱᎲᎳᎴᎵᎶᎷᎸᎹᎺᎻᎼᎽᎾᎿᏀᏁᏂᏃᏄᏅᏆᏇᏈᏉᏊᏋᏌᏍᏎᏏᏐᏑᏒᏓᏔᏕᏖᏗᏘᏙᏚᏛᏜᏝᏞᏟᏠᏡᏢᏣᏤᏥᏦᏧᏨᏩᏪᏫᏬᏭᏮᏯａｂｃｄｅｆｇｈｉ'
        'ｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ𐐨𐐩𐐪𐐫𐐬𐐭𐐮𐐯𐐰𐐱𐐲𐐳𐐴𐐵𐐶𐐷𐐸𐐹𐐺𐐻𐐼𐐽𐐾𐐿𐑀𐑁𐑂𐑃𐑄𐑅𐑆𐑇𐑈𐑉𐑊𐑋𐑌𐑍𐑎𐑏𐓘𐓙𐓚𐓛𐓜𐓝𐓞𐓟𐓠𐓡𐓢𐓣𐓤𐓥𐓦𐓧𐓨𐓩𐓪𐓫𐓬𐓭𐓮𐓯𐓰𐓱𐓲𐓳𐓴𐓵𐓶𐓷𐓸𐓹𐓺𐓻𐖗𐖘𐖙'
        '𐖚𐖛𐖜𐖝𐖞𐖟𐖠𐖡𐖣𐖤𐖥𐖦𐖧𐖨𐖩𐖪𐖫𐖬𐖭𐖮𐖯𐖰𐖱𐖳𐖴𐖵𐖶𐖷𐖸𐖹𐖻𐖼𐳀𐳁𐳂𐳃𐳄𐳅𐳆𐳇𐳈𐳉𐳊𐳋𐳌𐳍𐳎𐳏𐳐𐳑𐳒𐳓𐳔𐳕𐳖𐳗𐳘𐳙𐳚𐳛𐳜𐳝𐳞𐳟𐳠𐳡𐳢𐳣𐳤𐳥𐳦𐳧𐳨𐳩𐳪𐳫𐳬𐳭𐳮𐳯𐳰𐳱𐳲𑣀𑣁𑣂𑣃𑣄𑣅𑣆𑣇𑣈𑣉𑣊𑣋𑣌'
        '𑣍𑣎𑣏𑣐𑣑𑣒𑣓𑣔𑣕𑣖𑣗𑣘𑣙𑣚𑣛𑣜𑣝𑣞𑣟𖹠𖹡𖹢𖹣𖹤𖹥𖹦𖹧𖹨𖹩𖹪𖹫𖹬𖹭𖹮𖹯𖹰𖹱𖹲𖹳𖹴𖹵𖹶𖹷𖹸𖹹𖹺𖹻𖹼𖹽𖹾𖹿𞤢𞤣𞤤𞤥𞤦𞤧𞤨𞤩𞤪𞤫𞤬𞤭𞤮𞤯𞤰𞤱𞤲𞤳𞤴𞤵𞤶𞤷𞤸𞤹𞤺𞤻𞤼𞤽𞤾𞤿𞥀𞥁𞥂𞥃', null))
        || '{"ß": "ss", "ŉ": "ʼn", "\u0345": "ι", "և": "եւ", "ẚ": "aʾ", "ẞ": "ss", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "ﬓ": "մն", "ﬔ": "մե", "ﬕ": "մի", "ﬖ": "վն", "ﬗ": "մխ"}' as fold) f);
end
$$;
--> statement-breakpoint
create or replace function text_fold(x text) returns text language sql immutable parallel safe
  return case when octet_length(x) = length(x) then lower(x collate "C") else fold_unicode(x) end;
--> statement-breakpoint
create or replace function external_id_key(x text) returns text language sql immutable parallel safe
  return case when octet_length(x) = length(x) then btrim(x)
    else btrim(normalize(x, nfc),
      U&'\0020\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000') end;
--> statement-breakpoint
create or replace function has_cjk(x text) returns boolean language sql immutable strict parallel safe
  return x collate "C" ~ '[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\uffa1-\uffdc\U0001aff0-\U0001b16f\U00020000-\U0003ffff]';
--> statement-breakpoint
create or replace function search_pairs(x text) returns text[]
  language plpgsql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp as $$
begin
  return array(
    select distinct pair
    from (select c || lead(c) over (order by n) as pair
      from string_to_table(x, null) with ordinality as s(c, n)) p
    where has_cjk(pair));
end
$$;
--> statement-breakpoint
create or replace function search_text(title_key text, external_id text) returns text
  language sql immutable parallel safe
  return title_key || ' ' || text_fold(coalesce(external_id, ''));
--> statement-breakpoint
create or replace function keep_task_keys() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  -- An index row has room for 2,704 bytes.
  new.title_key := left(text_fold(new.title), 600);
  if tg_op = 'INSERT' or new.external_id is distinct from old.external_id or new.external_id_key is not null then
    new.external_id_key := external_id_key(new.external_id);
  end if;
  return new;
end
$$;

revoke execute on function keep_task_keys() from public;
--> statement-breakpoint
create or replace function fill_task_keys(
  after_tenant uuid, after_id uuid, rows_max integer, out last_tenant uuid, out last_id uuid)
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  with part as materialized (
    select tenant_id, id, external_id_key(external_id) as key from tasks
    where (tenant_id, id) > (after_tenant, after_id)
    order by tenant_id, id limit rows_max
  ),
  unfilled as materialized (
    select t.tenant_id, t.id, p.key from part p join tasks t using (tenant_id, id)
    where t.title_key is null
    order by t.tenant_id, t.id
    for no key update of t
  ),
  first as (
    select distinct on (tenant_id, key) tenant_id, id, key from unfilled u
    where key is not null and not exists (
      select from tasks o where o.tenant_id = u.tenant_id and o.external_id_key = u.key and o.id <> u.id)
    order by tenant_id, key, id
  ),
  filled as (
    -- The trigger tasks_keys_changed computes both keys.
    update tasks t set title_key = '', external_id_key = f.key
    from unfilled u left join first f using (tenant_id, id)
    where t.tenant_id = u.tenant_id and t.id = u.id
  )
  select tenant_id, id into last_tenant, last_id from part order by tenant_id desc, id desc limit 1;
end
$$;

revoke execute on function fill_task_keys(uuid, uuid, integer) from public;
--> statement-breakpoint
create or replace trigger tasks_keys_created before insert on tasks
  for each row execute function keep_task_keys();
--> statement-breakpoint
create or replace trigger tasks_keys_changed before update on tasks for each row
  when ((new.title, new.external_id, new.title_key, new.external_id_key)
    is distinct from (old.title, old.external_id, old.title_key, old.external_id_key))
  execute function keep_task_keys();
--> statement-breakpoint
create or replace trigger tasks_move_with_event before update on tasks for each row
  when (
    (new.event_seq <= old.event_seq
      and (old.title_key is not null or new.title_key is null
        or (new.external_id, new.title, new.taxonomy_code, new.priority, new.assignee, new.current_step_id,
            new.active_version_id, new.event_seq, new.event_head, new.status_since, new.archived_at, new.seed_run_id,
            new.updated_at)
          is distinct from (old.external_id, old.title, old.taxonomy_code, old.priority, old.assignee,
            old.current_step_id, old.active_version_id, old.event_seq, old.event_head, old.status_since,
            old.archived_at, old.seed_run_id, old.updated_at)))
    or (new.tenant_id, new.id, new.created_at, new.created_by)
      is distinct from (old.tenant_id, old.id, old.created_at, old.created_by))
  execute function refuse_change('A task changes only together with a new event of its own.');
--> statement-breakpoint
create index tasks_search on tasks using gin (search_text(title_key, external_id) gin_trgm_ops);
--> statement-breakpoint
create index tasks_search_cjk on tasks using gin (search_pairs(search_text(title_key, external_id)))
  where has_cjk(search_text(title_key, external_id));
--> statement-breakpoint
create or replace function search_tasks(needle text) returns setof uuid
  language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
  set plan_cache_mode = force_custom_plan as $$
declare
  tenant constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  folded constant text := text_fold(needle);
begin
  if has_cjk(folded) then
    return query
      select id from tasks
      where tenant_id = tenant
        and has_cjk(search_text(title_key, external_id))
        and search_pairs(search_text(title_key, external_id)) @> search_pairs(folded)
        and position(folded in search_text(title_key, external_id)) > 0;
  else
    return query
      select id from tasks
      where tenant_id = tenant
        and search_text(title_key, external_id)
          like '%' || regexp_replace(right(folded, 5), '([\\%_])', '\\\1', 'g') || '%'
        and (length(folded) <= 5 or search_text(title_key, external_id)
          like '%' || regexp_replace(folded, '([\\%_])', '\\\1', 'g') || '%');
  end if;
end
$$;

revoke execute on function search_tasks(text) from public;
grant execute on function search_tasks(text) to stepledger_app;
