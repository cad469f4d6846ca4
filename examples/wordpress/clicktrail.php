<?php
/**
 * Plugin Name: clicktrail
 * Description: Page views and clicks by the tag; orders of WooCommerce as conversions, told by the server.
 * Version: 0.1.0
 * Requires at least: 6.3
 * License: MIT OR Apache-2.0
 *
 * In wp-config.php:
 *   define('CLICKTRAIL_HOST', 'https://clk.example');
 *   define('CLICKTRAIL_KEY', 'ck_...'); // of scope events:write; without it orders are not told
 *   define('CLICKTRAIL_CAMPAIGN', 'blog'); // may be left out
 */

if (!defined('ABSPATH')) {
    exit;
}

/** The tag on every page that is not the administration's. */
add_action('wp_enqueue_scripts', function () {
    if (defined('CLICKTRAIL_HOST')) {
        wp_enqueue_script('clicktrail', CLICKTRAIL_HOST . '/tag.js', [], null, ['strategy' => 'async']);
    }
});

add_filter('script_loader_tag', function ($tag, $handle) {
    if ($handle !== 'clicktrail' || !defined('CLICKTRAIL_CAMPAIGN')) {
        return $tag;
    }
    return str_replace(' src=', ' data-campaign="' . esc_attr(CLICKTRAIL_CAMPAIGN) . '" src=', $tag);
}, 10, 2);

/** The click that brought a visitor stays with the order: links with "append_click_id": "click_id" hand it out. */
add_action('template_redirect', function () {
    $click = sanitize_text_field(wp_unslash($_GET['click_id'] ?? ''));
    if ($click !== '' && function_exists('WC') && WC()->session) {
        // A guest with an empty cart has no session, and what is said in none is forgotten.
        if (!WC()->session->has_session()) {
            WC()->session->set_customer_session_cookie(true);
        }
        WC()->session->set('clicktrail_click', $click);
    }
});

function clicktrail_remember($order)
{
    $click = WC()->session ? WC()->session->get('clicktrail_click') : null;
    if ($click) {
        $order->update_meta_data('_clicktrail_click', $click);
    }
}

add_action('woocommerce_checkout_create_order', 'clicktrail_remember');
// The checkout block makes its orders another way, and may have saved this one.
add_action('woocommerce_store_api_checkout_update_order_meta', function ($order) {
    clicktrail_remember($order);
    $order->save();
});

/**
 * A paid order is a conversion: paid by a gateway, or, as bank transfers are, marked as completed by somebody. The order's number
 * makes it one, however often that is said; what does not arrive is left to WooCommerce's scheduler, which asks again.
 */
add_action('woocommerce_payment_complete', 'clicktrail_tell');
add_action('woocommerce_order_status_completed', 'clicktrail_tell');
add_action('clicktrail_tell_again', 'clicktrail_tell');

function clicktrail_tell($order_id)
{
    $order = wc_get_order($order_id);
    if (!$order || !defined('CLICKTRAIL_HOST') || !defined('CLICKTRAIL_KEY')) {
        return;
    }
    $click = $order->get_meta('_clicktrail_click');
    if (!$click) {
        return;
    }
    $answer = wp_remote_post(CLICKTRAIL_HOST . '/postback', [
        'headers' => ['Authorization' => 'Bearer ' . CLICKTRAIL_KEY],
        'timeout' => 5,
        'body' => [
            'click_id' => $click,
            'txid' => 'wc-' . $order->get_id(),
            'payout' => $order->get_total(),
            'currency' => $order->get_currency(),
            'status' => 'sale',
        ],
    ]);
    $status = wp_remote_retrieve_response_code($answer);
    if (($status === '' || $status === 429 || $status >= 500) && function_exists('as_schedule_single_action')) {
        as_schedule_single_action(time() + 60, 'clicktrail_tell_again', [$order_id]);
    }
}
