// node dev/hosting_asns.mjs > analytics/data/hosting_asns.txt: picks the networks of hosting companies and of mail
// scanners out of a public table of networks, by the names of who runs them.
import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const SOURCE = "@ip-location-db/asn";
// 1.8 KB gzipped. What is cut off has fewer than 4,000 addresses each.
const MOST = 900;

// Words by which hosting companies call themselves.
const TRADE =
  /hosting|webhost|\bhosts?\b|\bvps\b|\bvds\b|\bcolo\b|colocation|co-location|data ?cent(er|re)|datacent|dedicated|\bservers?\b|serverel|baremetal|bare metal|\bclouds?\b|cloud ?(services|computing)/i;
// And companies that do not.
const COMPANIES = new RegExp(
  [
    String.raw`^100tb|^b2 net|^23m gmbh|^31173 services|^acens|^bacloud|^active24|^advania island|^aeza|^bahnhof datacenter`,
    String.raw`^akamai connected|^alexhost|^alibaba|^aliyun|^altushost|^amazon data|^amazon(\.com|\s|$)|^anexia|^arsys`,
    String.raw`^artnet|^aruba s\.?p\.?a|^asline|^atlantic metro|^atlantic\.net|^atman|^aws\b|^baxet|^carinet|^cdn77`,
    String.raw`^cdnvideo|^cherry servers|^cherryservers|choopa|^cleura|^cloudie|^cloudscale|^cloudsigma|^clouvider`,
    String.raw`^cmc telecom infra|^cnservers|^codero|^colocrossing|^cologix|^combell|^contabo|^core-backbone|^coresite`,
    String.raw`^corespace|^creanova|^ctrls|^cyber_folks|^cyfuture|^cyon|^cyrusone|^data102|^databank|^datacamp|^datapipe`,
    String.raw`^dataweb global|^ddos-guard|^dedipath|^deft\.com|^delis llc|^digital realty|digitalocean|^dinahosting|^dmit`,
    String.raw`^domeneshop|^dreamhost|^e2e networks|^easyname|^ecatel|^edgecast|^edgio|^edis gmbh|^beget`,
    String.raw`beijing baidu netcom|^elastx|^belcloud|^enet inc|^enzu|^eonix|^equinix|^equinix brasil|^esds|^evanzo`,
    String.raw`^exabytes|^exoscale|^fasthosts|^firstcolo|^firstvds|^flexential|^flokinet|^fly\.io|^forpsi|^fortressitx`,
    String.raw`^frantech|^g-?core|^gandi|^gcore|^gearhost|^ghostnet|^gigabit hosting|^gigenet|^glesys|^global layer`,
    String.raw`^globotech|^gmo internet|^godaddy|^google cloud|^google llc|^gorillaservers|^green floid|^gsl networks`,
    String.raw`^handy networks|hangzhou alibaba|^heart internet|^heroku|^hetzner|^hivelocity|^home\.pl|^host europe`,
    String.raw`^hostdime|^hostens|^hosteurope|^hostgator|^hosthatch|^hostinger|^hostkey|^hostnet|^hostpapa|^hostroyale`,
    String.raw`^hosttech|^hostus|^huawei (international|cloud)|^hurricane electric llc$|^hydra communications|^i3d\.net`,
    String.raw`^ibm (cloud|corporation)|^idc frontier|^bigstep|^iland internet|^binero|^infolink global|^infomaniak`,
    String.raw`^input output flood|^intergenia|^internap|^interneto vizija|^internex gmbh|^interserver|^intervolve|^involta`,
    String.raw`^iomart|^ionos|^ip volume|^ispserver|^it7 networks|^bitdefender data|^bizfly|^biznet gio|^jd cloud`,
    String.raw`^joes? ?data|^jsc iot|jsc selectel|^kakao enterprise|^kamatera|^keyweb|^kinghost|^kingsoft cloud|^krypt tech`,
    String.raw`^krystal|^kt cloud|^kyberio|^latitude\.sh|^layeredtech|leaseweb|^leaseweb|^limelight|^limestone networks`,
    String.raw`^linknow|^linode|^liquid web|^locaweb|^logicweb|^loopia|^bluehost|^m247|^m9com|^manitu|^masterdc|^maxihost`,
    String.raw`^mchost|^melbikomas|^memset|^microsoft (corporation|azure)|^misaka|^mittwald|^mivocloud|^mojohost|^multacom`,
    String.raw`^myloc|^mythic beasts|^namecheap|^naver (cloud|business)|^nazwa\.pl|^nessus gmbh|^netactuate|^netcup`,
    String.raw`^netlify|^netmagic|^netplanet|^netsons|^new dream network|^newmedia express|^newtekone|^nexeon|^nforce|^nhn `,
    String.raw`^nine internet|^nine\.ch|^nobis|^nocix|^nodes direct|^nominalia|^novogara|^ntirety|^nuxt|^oktawave|^one\.com`,
    String.raw`^online s\.?a\.?s|^openprovider|^oracle (corporation|america|svenska)|^orion network|^ovh\b|^ovhcloud`,
    String.raw`^packet host|^packethub|^paradise networks|^path network|^peer ?1|^performive|^perimeter ?81`,
    String.raw`^petersburg internet network|^phoenixnap|^plusserver|^powerhouse management|^pq hosting|^private layer`,
    String.raw`^privatelayer|^privatesystems|^profihost|^psychz|^qrator|^quadranet|^quality technology services`,
    String.raw`^quickpacket|^rackdog|^racknerd|^rackray|^rackspace|^ramnode|^rapidswitch|^redehost|^reg\.ru|\breg\.ru\b`,
    String.raw`^register\.it|^render\b|^safespring|^sakura internet|^scalaxy|^scaleway|^secured servers|^seeweb|^seflow`,
    String.raw`^selectel|^serverhub|^serverius|^serverplan|^servers australia|^servers\.com|^serverstack|^servetheworld`,
    String.raw`^sharktech|shenzhen tencent|^shinjiru|^simply transit|^singlehop|^siteground|^sneaker server|softlayer`,
    String.raw`^sologigabit|^sprinthost|^stackpath|^stark industries|^steadfast|^stormwall|^strato\b|^switch,? ltd|^syntura`,
    String.raw`^tagadab|^team blue|^tencent|the constant company|^theplanet|^tierpoint|^tilaa|^time4vps|^timeweb|^tophost`,
    String.raw`^total server|^trabia|^transip|^turnkey internet|^tzulo|^uab (cherry|interneto|code200|rakrejus)|^ubiquity`,
    String.raw`^ucloud|^uk-2 |^unified layer|^unitedlayer|^uol diveo|^upcloud|^buyvm|^vegasnap|^velia\.net|^vercel`,
    String.raw`^viettel idc|^vnpt? ?data|^volico|^voxility|\bvultr\b|^web werks|^web2objects|^webair|^webnx|^websupport`,
    String.raw`^webzilla|^wedos|^wholesale internet|^wiit ag|^world4you|^worldstream|^wowrack|^xneelo|^yandex cloud`,
    String.raw`^yandex\.cloud|^yotta|^bytemark|^zenlayer|^zone media`,
  ].join("|"),
  "i",
);
// Named like something else: Linode.
const NUMBERS = ["63949"];
// Who carries people home as well. A broad net catches them, and a person behind one would be doubted.
const NOT =
  /^the cloud networks|telecom(?!.*(cloud|idc|data))|telekom|mobile|wireless|broadband|fib(er|re)|cable|\bisp\b|university|school|college|cloudflare|private relay|\bbank\b|hospital|government|ministry|\bhostel|hotel|hospitality|communicat(?!.*host)/i;
// Mail's malware scanners. Their makers' web gateways also stand before people.
const SCANNERS = new RegExp(
  [
    String.raw`^proofpoint|^mimecast|^barracuda|^messagelabs|^fireeye|^trellix|^cisco ironport|^ironport`,
    String.raw`^forcepoint|^trend micro|^sophos|^vade\b|^hornetsecurity|^retarus|^spamhaus|^cyren|^zerospam|^mailprotector|^appriver|^greathorn|^agari\b|^trustwave`,
  ].join("|"),
  "i",
);

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
