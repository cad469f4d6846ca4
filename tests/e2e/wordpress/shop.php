<?php
// As much of WordPress and WooCommerce as the plugin of examples/ asks for, and a guest who comes by a click, buys and pays:
// php shop.php PLUGIN HOST KEY CLICK_ID CHECKOUT NUMBER [paid | unpaid] [cancelled | failed | refunded | SUM]... After it the order is cancelled, or a
// sum of it is given back. Prints what became of it, as JSON.
[, $plugin, $host, $key, $click, $checkout, $number] = $argv;

$hooks = [];
function add_action($hook, $does, $priority = 10, $takes = 1) { $GLOBALS['hooks'][$hook][] = [$does, $takes]; }
function add_filter(...$said) { add_action(...$said); }
function do_action($hook, ...$said)
{
    foreach ($GLOBALS['hooks'][$hook] ?? [] as [$does, $takes]) {
        $does(...array_slice($said, 0, $takes));
    }
}
function apply_filters($hook, $value, ...$said)
{
    foreach ($GLOBALS['hooks'][$hook] ?? [] as [$does, $takes]) {
        $value = $does(...array_slice([$value, ...$said], 0, $takes));
    }
    return $value;
}

$scripts = '';
function wp_enqueue_script($handle, $src, $needs, $version, $how)
{
    $GLOBALS['scripts'] .= apply_filters('script_loader_tag', "<script {$how['strategy']} id=\"$handle-js\" src=\"$src\"></script>", $handle, $src);
}
function esc_attr($text) { return htmlspecialchars($text, ENT_QUOTES); }
function wp_unslash($text) { return stripslashes($text); }
function sanitize_text_field($text) { return trim(strip_tags($text)); }
function wp_remote_post($url, $said)
{
    $headers = array_map(fn($name, $value) => "$name: $value", array_keys($said['headers']), $said['headers']);
    $http = ['method' => 'POST', 'header' => $headers, 'content' => http_build_query($said['body']), 'timeout' => $said['timeout'], 'ignore_errors' => true];
    $GLOBALS['sent'][] = "{$said['body']['status']} {$said['body']['payout']}";
    $body = @file_get_contents($url, false, stream_context_create(['http' => $http]));
    return $body === false ? null : ['status' => (int) explode(' ', $http_response_header[0])[1], 'body' => $body];
}
function wc_format_decimal($number, $places, $trim) { return $trim ? rtrim(rtrim(number_format($number, $places, '.', ''), '0'), '.') : number_format($number, $places, '.', ''); }
function wp_remote_retrieve_response_code($answer) { return $answer['status'] ?? ''; }
function as_schedule_single_action($at, $hook, $said) { $GLOBALS['asked_again'][] = [$hook, $at - time(), ...$said]; }

/** Of a guest: what is set is kept only once there is a cookie. */
final class Session
{
    private array $kept = [];
    private bool $cookie = false;
    function has_session() { return $this->cookie; }
    function set_customer_session_cookie($set) { $this->cookie = $set; }
    function set($name, $value) { $this->kept[$name] = $value; }
    function get($name) { return $this->cookie ? $this->kept[$name] ?? null : null; }
}
final class Order
{
    private array $meta = [];
    private array $saved = [];
    private float $refunded = 0;
    private string $status = 'pending';
    function update_meta_data($name, $value) { $this->meta[$name] = $value; }
    function save() { $this->saved = $this->meta; }
    function get_meta($name) { return $this->saved[$name] ?? ''; }
    function __construct(private int $number) {}
    function get_id() { return $this->number; }
    function get_total() { return '49.90'; }
    function get_currency() { return 'EUR'; }
    function get_total_refunded() { return $this->refunded; }
    function has_status($any) { return in_array($this->status, $any, true); }
    function save_meta_data() { $this->save(); }
    function refund($sum)
    {
        $this->refunded += $sum;
        if ($this->refunded >= $this->get_total()) {
            $this->become('refunded');
        }
        do_action('woocommerce_order_refunded', $this->number, 900 + (int) $sum);
    }
    function become($status)
    {
        $this->status = $status;
        do_action("woocommerce_order_status_$status", $this->number, $this);
    }
}
$shop = (object) ['session' => new Session()];
$order = new Order((int) $number);
function WC() { return $GLOBALS['shop']; }
function wc_get_order($id) { return $GLOBALS['order']; }

define('ABSPATH', __DIR__);
define('CLICKTRAIL_HOST', $host);
define('CLICKTRAIL_KEY', $key);
define('CLICKTRAIL_CAMPAIGN', 'Blog & "shop"');
$_GET['click_id'] = $click;
$asked_again = $sent = [];
require $plugin;

do_action('wp_enqueue_scripts');
do_action('template_redirect');
if ($checkout === 'block') {
    $order->save();
    do_action('woocommerce_store_api_checkout_update_order_meta', $order);
} else {
    do_action('woocommerce_checkout_create_order', $order, []);
    $order->save();
}
if ($argv[7] === 'paid') {
    do_action('woocommerce_payment_complete', $number);
    $order->become('completed');
}
foreach (array_slice($argv, 8) as $then) {
    is_numeric($then) ? $order->refund((float) $then) : $order->become($then);
}
echo json_encode(['scripts' => $scripts, 'asked_again' => $asked_again, 'sent' => $sent]);
