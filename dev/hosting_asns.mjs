// node dev/hosting_asns.mjs > analytics/data/hosting_asns.txt: picks the networks of hosting companies and of mail
// scanners out of a public table of networks, by the names of who runs them.
import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const SOURCE = "@ip-location-db/asn";
/// A table of about 2 KB. What is cut off has fewer than some ten thousand addresses each, and seldom crawls.
const MOST = 900;

// Words by which hosting companies call themselves.
const TRADE =
  /hosting|webhost|\bhosts?\b|\bvps\b|\bvds\b|\bcolo\b|colocation|co-location|data ?cent(er|re)|datacent|dedicated|\bservers?\b|serverel|baremetal|bare metal|\bclouds?\b|cloud ?(services|computing)/i;
// And companies that do not.
const COMPANIES =
  /^amazon(\.com|\s|$)|^amazon data|^aws\b|^microsoft (corporation|azure)|^google llc|^google cloud|^oracle (corporation|america|svenska)|^ibm (cloud|corporation)|softlayer|^ovh\b|^hetzner|digitalocean|^linode|^akamai connected|the constant company|\bvultr\b|choopa|^contabo|leaseweb|^scaleway|^online s\.?a\.?s|^ionos|^strato\b|^aruba s\.?p\.?a|^m247|^datacamp|^zenlayer|^unified layer|^godaddy|^hivelocity|^multacom|^selectel|jsc selectel|^eonix|^it7 networks|^clouvider|^sakura internet|^gmo internet|^b2 net|^liquid web|^ntirety|^quickpacket|^velia\.net|^xneelo|^home\.pl|^psychz|^krypt tech|^uk-2 |^netcup|^new dream network|^hostkey|^ghostnet|^glesys|^firstcolo|^maxihost|^enzu|^deft\.com|^wiit ag|^corespace|^limestone networks|^gsl networks|^i3d\.net|^sharktech|^input output flood|^tzulo|^performive|^carinet|^wholesale internet|^nazwa\.pl|^logicweb|^webnx|^involta|^fortressitx|^webair|^heart internet|^worldstream|^privatesystems|^atlantic\.net|^iland internet|^web werks|^voxility|^netactuate|^webzilla|^nforce|^masterdc|^handy networks|^internap|^rackspace|^equinix|^alibaba|^aliyun|hangzhou alibaba|shenzhen tencent|^tencent|^huawei (international|cloud)|beijing baidu netcom|^ucloud|^kingsoft cloud|^jd cloud|^yandex\.cloud|^yandex cloud|^servers\.com|^servers australia|^upcloud|^exoscale|^infomaniak|^gandi|^hostinger|^namecheap|^bluehost|^dreamhost|^siteground|^one\.com|^combell|^transip|^leaseweb|^serverius|^kamatera|^cherry servers|^fly\.io|^render\b|^heroku|^vercel|^netlify|^packet host|^phoenixnap|^ramnode|^colocrossing|^quadranet|^nocix|^joes? ?data|^steadfast|^singlehop|^peer ?1|^codero|^cyrusone|^digital realty|^coresite|^cologix|^switch,? ltd|^flexential|^tierpoint|^databank|^datapipe|^layeredtech|^theplanet|^hurricane electric llc$|^interserver|^turnkey internet|^wowrack|^gigenet|^100tb|^timeweb|^beget|^reg\.ru|\breg\.ru\b|^mchost|^firstvds|^jsc iot|^ispserver|^alexhost|^stark industries|^aeza|^pq hosting|^mivocloud|^bitdefender data|^dedipath|^delis llc|^frantech|^buyvm|^racknerd|^hostpapa|^hosteurope|^host europe|^mittwald|^profihost|^keyweb|^manitu|^myloc|^plusserver|^intergenia|^hosttech|^nine\.ch|^cyon|^loopia|^fasthosts|^memset|^iomart|^bytemark|^mythic beasts|^krystal|^tagadab|^simply transit|^rapidswitch|^bigstep|^cdn77|^g-?core|^gcore|^stackpath|^limelight|^edgecast|^edgio|^ovhcloud|^naver (cloud|business)|^kakao enterprise|^nhn |^kt cloud|^linknow|^exabytes|^shinjiru|^vnpt? ?data|^bizfly|^cmc telecom infra|^viettel idc|^netmagic|^ctrls|^e2e networks|^esds|^yotta|^cyfuture|^biznet gio|^cloudsigma|^locaweb|^uol diveo|^equinix brasil|^kinghost|^hostgator|^dinahosting|^arsys|^acens|^nominalia|^register\.it|^seeweb|^serverplan|^netsons|^tophost|^forpsi|^wedos|^active24|^websupport|^domeneshop|^binero|^zone media|^bahnhof datacenter|^hostnet|^cyber_folks|^oktawave|^atman|^artnet|^cloudscale|^elastx|^safespring|^openprovider|^webzilla|^ip volume|^ecatel|^novogara|^flokinet|^privatelayer|^private layer|^orion network|^web2objects|^asline|^cnservers|^cloudie|^dmit|^misaka|^gigabit hosting|^hostus|^hostroyale|^sneaker server|^rackdog|^latitude\.sh|^tilaa|^time4vps|^interneto vizija|^cherryservers|^bacloud|^hostens|^rackray|^uab (cherry|interneto|code200|rakrejus)|^baxet|^kyberio|^dataweb global|^mojohost|^packethub|^clouvider|^creanova|^nexeon|^serverstack|^nuxt|^perimeter ?81|^path network|^ddos-guard|^qrator|^stormwall|^anexia|^easyname|^world4you|^internex gmbh|^nessus gmbh|^netplanet|^scalaxy|^serverhub|^ubiquity|^nobis|^total server|^secured servers|^sologigabit|^sprinthost|^hydra communications|^m9com|^idc frontier|^atlantic metro|^gorillaservers|^infolink global|^23m gmbh|^nodes direct|^volico|^evanzo|^global layer|^cleura|^powerhouse management|^core-backbone|^hosthatch|^edis gmbh|^nine internet|^globotech|^paradise networks|^vegasnap|^servetheworld|^newmedia express|^belcloud|^altushost|^data102|^quality technology services|^team blue|^enet inc|^syntura|^newtekone|^hostdime|^unitedlayer|^intervolve|^trabia|^seflow|^gearhost|^redehost|^advania island|^cdnvideo|^31173 services|^melbikomas|^green floid|^petersburg internet network/i;
// Named like something else: Linode.
const NUMBERS = ["63949"];
// Who carries people home as well. A broad net catches them, and a person behind one would be doubted.
const NOT =
  /^the cloud networks|telecom(?!.*(cloud|idc|data))|telekom|mobile|wireless|broadband|fib(er|re)|cable|\bisp\b|university|school|college|cloudflare|private relay|\bbank\b|hospital|government|ministry|\bhostel|hotel|hospitality|communicat(?!.*host)/i;
// Mail's malware scanners. Their makers' web gateways also stand before people.
const SCANNERS = /^proofpoint|^mimecast|^barracuda|^messagelabs|^fireeye|^trellix|^cisco ironport|^ironport|^forcepoint|^trend micro|^sophos|^vade\b|^hornetsecurity|^retarus|^spamhaus|^cyren|^zerospam|^mailprotector|^appriver|^greathorn|^agari\b|^trustwave/i;

const folder = mkdtempSync(join(tmpdir(), "asn-"));
try {
  const [{ filename, version }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--silent", SOURCE], { cwd: folder }));
  execFileSync("tar", ["xzf", filename], { cwd: folder });
  const networks = new Map();
  for await (const line of createInterface({ input: createReadStream(join(folder, "package/asn-ipv4-num.csv")) })) {
    const [, first, last, asn, name] = line.match(/^(\d+),(\d+),(\d+),"?(.*?)"?$/) ?? [];
    if (!asn) continue;
    const network = networks.get(asn) ?? { asn: Number(asn), name, addresses: 0 };
    network.addresses += Number(last) - Number(first) + 1;
    networks.set(asn, network);
  }
  const all = [...networks.values()].sort((a, b) => b.addresses - a.addresses || a.asn - b.asn);
  const scanners = all.filter(({ name }) => SCANNERS.test(name));
  const hosting = all
    .filter(({ asn, name }) => !SCANNERS.test(name) && (COMPANIES.test(name) || NUMBERS.includes(String(asn)) || (TRADE.test(name) && !NOT.test(name))))
    .slice(0, MOST);
  // Differences, so that most are of two or three digits: it is half the size in the Worker.
  const section = (title, list) => {
    let before = 0;
    const steps = list.map(({ asn }) => asn).sort((a, b) => a - b).map((asn) => [asn - before, (before = asn)][0]);
    return [`[${title}]`, ...(steps.join(" ").match(/.{1,110}(?= |$)/g) ?? []).map((row) => row.trim())];
  };
  console.log(
    [
      "# Networks by number (ASN), each as the difference to the one before it.",
      `# Picked by the operators' names from ${SOURCE} ${version} (CC BY 4.0: DB-IP, RouteViews, NRO).`,
      "# `node dev/hosting_asns.mjs` writes this file anew.",
      ...section("datacenter_asn", hosting),
      ...section("email_scanner", scanners),
    ].join("\n"),
  );
  if (process.argv.includes("--names"))
    for (const { asn, name, addresses } of [...hosting, ...scanners]) console.error(`${asn}\t${addresses}\t${name}`);
} finally {
  rmSync(folder, { recursive: true });
}
